import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally, type Tally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { batchOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { restoreBatch } from "../restore/restore-batch.ts";
import type { RestoreScope } from "../restore/restore-scope.ts";
import { services } from "../services.ts";
import { tellThrottled } from "../storage/throttling.ts";

/** Restores the files of one batch, records the outcome of each, and returns counts and bytes. */
df.app.activity("restoreFiles", {
  handler: async (ref: BatchRef & RestoreScope, context: InvocationContext): Promise<Tally> => {
    const { storage, settings, budget } = services;
    const { run, part, batch } = ref;
    if (await isCanceled(new Ledger(storage, run))) return emptyTally();
    const tally = await tellThrottled(() => restoreBatch(ref, storage, settings, budget));
    await logTally(context, "batch.restored", { run, part, batch }, tally, batchOutcomes(part, batch));
    return tally;
  },
});
