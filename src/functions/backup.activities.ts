import { beginAttempt, commitAttempt, giveUp } from "../backup/large-file/begin-and-commit.ts";
import { compareNext } from "../backup/large-file/compare.ts";
import { copyRange, type RangeRef, type RangeResult } from "../backup/large-file/copy-range.ts";
import { hashSpan } from "../backup/large-file/hash-span.ts";
import type { LargeFileRef } from "../backup/large-file/plan.ts";
import { copyBatch } from "../backup/copy-batch.ts";
import { listFiles } from "../backup/list-files.ts";
import { emptyTally } from "../model/outcome.ts";
import { countThrottled } from "../storage/throttling.ts";
import { activity } from "./activity.ts";
import { batchOutcomes, listingOutcomes } from "../ledger/names.ts";

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

// A large file. Nobody waits for the answer of what is canceled: "changed" ends it.
activity("beginLargeFile", beginAttempt, { event: "large.settled" });
activity(
  "copyRange",
  async (ref: RangeRef, storage, settings, budget): Promise<RangeResult> => {
    const { result, throttled } = await countThrottled(() => copyRange(ref, storage, settings, budget));
    return { piece: result, ...(throttled > 0 ? { throttled } : {}) };
  },
  { whenCanceled: { piece: "changed" } },
);
activity("hashSpan", hashSpan);
activity("compareLargeFile", compareNext, { event: "large.settled", whenCanceled: "changed" });
activity("commitLargeFile", commitAttempt, { event: "large.copied", whenCanceled: "changed" });
activity(
  "failLargeFile",
  ({ reason, ...ref }: LargeFileRef & { reason: string }, storage) => giveUp(ref, reason, storage),
  { event: "large.failed" },
);
