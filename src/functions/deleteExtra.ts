import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { deleteExtra } from "../restore/delete-extra.ts";
import type { Slice, SliceRef } from "../restore/extra.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

/** Removes, for a bounded time, what the directory has and the run has not. */
df.app.activity("deleteExtra", {
  handler: async (ref: SliceRef, context: InvocationContext): Promise<Slice> => {
    if (await isCanceled(new Ledger(services.storage, ref.run))) return { tally: emptyTally(), deleted: 0 };
    const slice = await deleteExtra(ref, services.storage, services.settings);
    const { run, slice: number } = ref;
    await logTally(context, "extra.deleted", { run, slice: number, deleted: slice.deleted }, slice.tally);
    return slice;
  },
});
