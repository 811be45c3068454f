import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { seeToExtra, type Slice, type SliceRef } from "../restore/extra.ts";
import { services } from "../services.ts";

/** Names, for a bounded time, what the directory has and the run has not. */
df.app.activity("previewExtra", {
  handler: async (ref: SliceRef, context: InvocationContext): Promise<Slice> => {
    const { storage, settings } = services;
    if (await isCanceled(new Ledger(storage, ref.run))) return { tally: emptyTally(), deleted: 0 };
    const slice = await seeToExtra(ref, storage, settings);
    const { run, slice: number } = ref;
    await logTally(context, "extra.previewed", { run, slice: number, deleted: slice.deleted }, slice.tally);
    return slice;
  },
});
