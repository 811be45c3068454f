import { closeBackup, type End } from "../ledger/close-backup.ts";
import { failBatch } from "../ledger/fail-batch.ts";
import { activity } from "./activity.ts";
import { batchOutcomes } from "../ledger/names.ts";

activity("failBatch", failBatch, {
  event: "batch.failed",
  record: batchOutcomes,
});
activity("closeBackup", (end: End, storage, _settings, _budget, log) => closeBackup(end, storage, log));
