import { endRun, type End } from "../ledger/end-run.ts";
import { batchOutcomes, largeOutcome } from "../ledger/names.ts";
import { failBatch } from "../ledger/settle-batch.ts";
import { failLargeFile } from "../ledger/settle-steps.ts";
import { activity } from "./activity.ts";

activity("failBatch", failBatch, {
  event: "batch.failed",
  record: batchOutcomes,
});
activity("failLargeFile", failLargeFile, { event: "large.failed", record: largeOutcome });
activity("endRun", (end: End, storage, _settings, _budget, log) => endRun(end, storage, log));
