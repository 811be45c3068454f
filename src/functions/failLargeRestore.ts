import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { logTally } from "../telemetry/log-tally.ts";
import type { LargeRestoreRef } from "../restore/large-file/attempt.ts";
import { giveUpRestore } from "../restore/large-file/begin-and-end.ts";
import { services } from "../services.ts";

/** Records that a large file could not be restored. */
df.app.activity("failLargeRestore", {
  handler: async (ref: LargeRestoreRef & { reason: string }, context: InvocationContext) => {
    const tally = await giveUpRestore(ref, services.storage, services.settings, services.budget);
    const { run, part, large } = ref;
    await logTally(context, "large.failed", { run, part, large }, tally);
    return tally;
  },
});
