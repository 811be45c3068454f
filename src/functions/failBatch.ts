import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import type { Tally } from "../model/outcome.ts";
import { failBatch } from "../ledger/fail-batch.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { batchOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

/** Records the files of a batch that could not be tried, however often, as failed. */
df.app.activity("failBatch", {
  handler: async (
    { batch, reason }: { batch: BatchRef; reason: string },
    context: InvocationContext,
  ): Promise<Tally> => {
    const tally = await failBatch(batch, reason, services.storage);
    const { run, part, batch: number } = batch;
    await logTally(context, "batch.failed", { run, part, batch: number }, tally, batchOutcomes(part, number));
    return tally;
  },
});
