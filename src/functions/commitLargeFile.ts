import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { commitAttempt } from "../backup/large-file/begin-and-commit.ts";
import type { AttemptRef } from "../backup/large-file/plan.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

/** Makes the blob of a large file's blocks, and records the outcome. */
df.app.activity("commitLargeFile", {
  handler: async (ref: AttemptRef & { state: string }, context: InvocationContext) => {
    if (await isCanceled(new Ledger(services.storage, ref.run))) return "changed";
    const committed = await commitAttempt(ref, services.storage, services.settings);
    const { run, part, large } = ref;
    if (committed !== "changed")
      await logTally(context, "large.copied", { run, part, large }, committed.settled);
    return committed;
  },
});
