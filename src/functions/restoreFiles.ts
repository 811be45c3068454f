import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally, type Tally } from "../backup/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { restoreBatch } from "../restore/restore-batch.ts";
import { services } from "../services.ts";
import { tellThrottled } from "../storage/throttling.ts";

/** Restores the files of one batch, records the outcome of each, and returns counts and bytes. */
df.app.activity("restoreFiles", {
  handler: async (batch: BatchRef, context: InvocationContext): Promise<Tally> => {
    const { storage, settings, budget } = services;
    if (await isCanceled(new Ledger(storage, batch.run))) return emptyTally();
    const tally = await tellThrottled(() => restoreBatch(batch, storage, settings, budget));
    const { copied, unchanged, failed, bytes } = tally.counts;
    context.info(
      `run ${batch.run}, part ${batch.part}, batch ${batch.batch}: ${copied} restored (${bytes} bytes), ${unchanged} unchanged, ${failed} failed`,
    );
    if (tally.throttled) context.warn(`storage throttled ${tally.throttled} requests; they were sent again`);
    for (const failure of tally.failures) context.warn(`failed: ${failure}`);
    return tally;
  },
});
