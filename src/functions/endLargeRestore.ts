import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { logTally } from "../telemetry/log-tally.ts";
import type { RestoreAttemptRef } from "../restore/large-file/attempt.ts";
import { endRestore } from "../restore/large-file/begin-and-end.ts";
import { services } from "../services.ts";

/** Puts a large file into its place, and records the outcome. */
df.app.activity("endLargeRestore", {
  handler: async (ref: RestoreAttemptRef & { state: string }, context: InvocationContext) => {
    const ended = await endRestore(ref, services.storage, services.settings, services.budget);
    const { run, part, large } = ref;
    if (ended !== "again") await logTally(context, "large.restored", { run, part, large }, ended.settled);
    return ended;
  },
});
