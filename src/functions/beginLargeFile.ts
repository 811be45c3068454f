import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { beginAttempt } from "../backup/large-file/begin-and-commit.ts";
import type { AttemptRef } from "../backup/large-file/plan.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

/** Decides how an attempt at a large file copies it, or says what became of the file. */
df.app.activity("beginLargeFile", {
  handler: async (ref: AttemptRef, context: InvocationContext) => {
    const begun = await beginAttempt(ref, services.storage, services.settings);
    const { run, part, large } = ref;
    if ("settled" in begun) await logTally(context, "large.settled", { run, part, large }, begun.settled);
    return begun;
  },
});
