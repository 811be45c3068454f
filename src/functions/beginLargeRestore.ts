import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { logTally } from "../telemetry/log-tally.ts";
import type { RestoreAttemptRef } from "../restore/large-file/attempt.ts";
import { beginRestore } from "../restore/large-file/begin-and-end.ts";
import { services } from "../services.ts";

/** Decides how an attempt restores a large file, or says what became of the file. */
df.app.activity("beginLargeRestore", {
  handler: async (ref: RestoreAttemptRef, context: InvocationContext) => {
    const begun = await beginRestore(ref, services.storage, services.settings, services.budget);
    const { run, part, large } = ref;
    if (typeof begun === "object" && "settled" in begun)
      await logTally(context, "large.settled", { run, part, large }, begun.settled);
    return begun;
  },
});
