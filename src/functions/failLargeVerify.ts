import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { logTally } from "../telemetry/log-tally.ts";
import type { LargeRef } from "../manifest/plan.ts";
import { services } from "../services.ts";
import { giveUpVerify } from "../verify/verify-span.ts";

/** Records that a large file could not be read back. */
df.app.activity("failLargeVerify", {
  handler: async (ref: LargeRef & { reason: string }, context: InvocationContext) => {
    const tally = await giveUpVerify(ref, services.storage);
    const { run, part, large } = ref;
    await logTally(context, "large.failed", { run, part, large }, tally);
    return tally;
  },
});
