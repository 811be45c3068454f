import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally, type Tally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { batchOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";
import { tellThrottled } from "../storage/throttling.ts";
import { verifyBatch } from "../verify/verify-batch.ts";
import type { VerifyScope } from "../verify/verify-scope.ts";

/** Reads the contents of one batch back, records the outcome of each, and returns counts. */
df.app.activity("verifyFiles", {
  handler: async (ref: BatchRef & VerifyScope, context: InvocationContext): Promise<Tally> => {
    const { storage, settings, budget } = services;
    const { run, part, batch } = ref;
    if (await isCanceled(new Ledger(storage, run))) return emptyTally();
    const tally = await tellThrottled(() => verifyBatch(ref, storage, settings, budget));
    await logTally(context, "batch.verified", { run, part, batch }, tally, batchOutcomes(part, batch));
    return tally;
  },
});
