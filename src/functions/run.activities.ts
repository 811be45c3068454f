import { closeBackup, type End } from "../ledger/close-backup.ts";
import { failBatch } from "../ledger/fail-batch.ts";
import { batchOutcomes } from "../ledger/outcomes.ts";
import { activity } from "./activity.ts";

activity("failBatch", failBatch, {
  event: "batch.failed",
  record: ({ part, batch }) => batchOutcomes(part, batch),
});
activity("closeBackup", (end: End, storage, _settings, _budget, log) => closeBackup(end, storage, log));
