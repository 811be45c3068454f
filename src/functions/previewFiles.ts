import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally, type Tally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { batchOutcomes } from "../ledger/outcomes.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { previewBatch } from "../restore/preview/preview-batch.ts";
import type { RestoreScope } from "../restore/restore-scope.ts";
import { services } from "../services.ts";

/** Records what a restore would make of the files of one batch. */
df.app.activity("previewFiles", {
  handler: async (ref: BatchRef & RestoreScope, context: InvocationContext): Promise<Tally> => {
    const { storage, settings, budget } = services;
    const { run, part, batch } = ref;
    if (await isCanceled(new Ledger(storage, run))) return emptyTally();
    const tally = await previewBatch(ref, storage, settings, budget);
    await logTally(context, "batch.previewed", { run, part, batch }, tally, batchOutcomes(part, batch));
    return tally;
  },
});
