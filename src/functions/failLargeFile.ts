import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { giveUp } from "../backup/large-file/begin-and-commit.ts";
import type { LargeFileRef } from "../backup/large-file/plan.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

/** Records that a large file could not be copied. */
df.app.activity("failLargeFile", {
  handler: async ({ reason, ...ref }: LargeFileRef & { reason: string }, context: InvocationContext) => {
    const tally = await giveUp(ref, reason, services.storage);
    const { run, part, large } = ref;
    await logTally(context, "large.failed", { run, part, large }, tally);
    return tally;
  },
});
