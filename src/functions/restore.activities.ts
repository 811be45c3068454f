import { emptyTally } from "../model/outcome.ts";
import { deleteExtra } from "../restore/delete-extra.ts";
import { beginRestore, endRestore, giveUpRestore } from "../restore/large-file/begin-and-end.ts";
import { hashRestored, restoreRange } from "../restore/large-file/restore-range.ts";
import { planRestore } from "../restore/plan-restore.ts";
import { restoreBatch } from "../restore/restore-batch.ts";
import { restoreDirectories } from "../restore/restore-directories.ts";
import { activity } from "./activity.ts";
import { batchOutcomes, listingOutcomes } from "../ledger/names.ts";

activity("planRestore", planRestore, {
  event: "part.planned",
  record: ({ part }) => listingOutcomes(part),
});
activity("restoreFiles", restoreBatch, {
  event: "batch.restored",
  record: batchOutcomes,
  whenCanceled: emptyTally(),
});
activity("deleteExtra", deleteExtra, {
  event: "extra.deleted",
  values: ({ deleted }) => ({ deleted }),
  whenCanceled: { tally: emptyTally(), deleted: 0 },
});
activity("restoreDirectories", restoreDirectories, { event: "directories.restored" });

activity("beginLargeRestore", beginRestore, { event: "large.settled" });
activity("restoreRange", restoreRange);
activity("hashRestored", hashRestored);
activity("endLargeRestore", endRestore, { event: "large.restored" });
activity("failLargeRestore", giveUpRestore, { event: "large.failed" });
