/** A dry run of a restore. Nothing imported here, however indirectly, can write to a file system. */
import { batchOutcomes, listingOutcomes } from "../ledger/names.ts";
import { emptyTally } from "../model/outcome.ts";
import { handleExtra, type SliceRef } from "../restore/extra.ts";
import { previewBatch, previewRestore } from "../restore/preview.ts";
import { activity } from "./activity.ts";

activity("previewRestore", previewRestore, {
  event: "part.planned",
  record: ({ part }) => listingOutcomes(part),
});
activity("previewFiles", previewBatch, {
  event: "batch.previewed",
  record: batchOutcomes,
  whenCanceled: emptyTally(),
});
activity("previewExtra", (ref: SliceRef, storage, settings) => handleExtra(ref, storage, settings), {
  event: "extra.previewed",
  values: ({ deleted }) => ({ deleted }),
  whenCanceled: { tally: emptyTally(), deleted: 0 },
});
