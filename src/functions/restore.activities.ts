import { batchOutcomes, largeOutcome, listingOutcomes } from "../ledger/names.ts";
import { emptyTally } from "../model/outcome.ts";
import { deleteExtra } from "../restore/delete-extra.ts";
import { failLargeRestore, restoreLargeFile } from "../restore/large-file.ts";
import { planRestore } from "../restore/plan-restore.ts";
import { restoreBatch } from "../restore/restore-batch.ts";
import { restoreDirectories } from "../restore/restore-directories.ts";
import { activity } from "./activity.ts";

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

activity("restoreLargeFile", restoreLargeFile, { event: "large.restored", record: largeOutcome });
activity("failLargeRestore", failLargeRestore, { event: "large.failed", record: largeOutcome });
