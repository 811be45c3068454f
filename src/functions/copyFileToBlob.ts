import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { copyBatch } from "../backup/copy-batch.ts";
import type { CopyScope } from "../backup/copy-scope.ts";
import { emptyTally, type Tally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { batchOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";
import { tellThrottled } from "../storage/throttling.ts";

/** Copies the files of one batch to blobs, records the outcome of each, and returns counts and bytes. */
df.app.activity("copyFileToBlob", {
  handler: async (ref: BatchRef & CopyScope, context: InvocationContext): Promise<Tally> => {
    const { storage, settings, budget } = services;
    const { run, part, batch } = ref;
    if (await isCanceled(new Ledger(storage, run))) return emptyTally();
    const tally = await tellThrottled(() => copyBatch(ref, storage, settings, budget));
    await logTally(context, "batch.copied", { run, part, batch }, tally, batchOutcomes(part, batch));
    return tally;
  },
});
