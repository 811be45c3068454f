import { copyBatch } from "../backup/copy-batch.ts";
import { copyLargeFile } from "../backup/large-file.ts";
import { listFiles } from "../backup/list-files.ts";
import { batchOutcomes, largeOutcome, listingOutcomes } from "../ledger/names.ts";
import { emptyTally } from "../model/outcome.ts";
import { activity } from "./activity.ts";

activity("getFileList", listFiles, {
  event: "part.listed",
  record: ({ part }) => listingOutcomes(part),
  values: ({ files }) => ({ files }),
});
activity("copyFileToBlob", copyBatch, {
  event: "batch.copied",
  record: batchOutcomes,
  whenCanceled: emptyTally(),
});

activity("copyLargeFile", copyLargeFile, {
  event: "large.copied",
  record: largeOutcome,
  whenCanceled: "none",
});
