import { endRun, type End } from "../ledger/end-run.ts";
import { failBatch, failLargeFile } from "../ledger/settle-steps.ts";
import { activity } from "./activity.ts";
import { batchOutcomes, largeOutcome } from "../ledger/names.ts";

activity("failBatch", failBatch, {
  event: "batch.failed",
  record: batchOutcomes,
});
activity("failLargeFile", failLargeFile, { event: "large.failed", record: largeOutcome });
activity("endRun", (end: End, storage, _settings, _budget, log) => endRun(end, storage, log));
