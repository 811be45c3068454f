import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally, type Tally } from "../backup/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { batchOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../logging/log-tally.ts";
import { services } from "../services.ts";
import { tellThrottled } from "../storage/throttling.ts";
import { verifyBatch } from "../verify/verify-batch.ts";

/** Reads the contents of one batch back, records the outcome of each, and returns counts. */
df.app.activity("verifyFiles", {
  handler: async (batch: BatchRef, context: InvocationContext): Promise<Tally> => {
    const { storage, settings, budget } = services;
    if (await isCanceled(new Ledger(storage, batch.run))) return emptyTally();
    const tally = await tellThrottled(() => verifyBatch(batch, storage, settings, budget));
    await logTally(context, "batch.verified", { ...batch }, tally, batchOutcomes(batch.part, batch.batch));
    return tally;
  },
});
