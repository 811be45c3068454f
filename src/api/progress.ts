import type { BlobServiceClient } from "@azure/storage-blob";
import { COST_OF_FILES } from "../ledger/cut.ts";
import { countIn, countsFromMetadata } from "../ledger/metadata.ts";
import { isOfListing, OUTCOMES_FOLDER } from "../ledger/names.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import { addCounts, emptyCounts, filesOf, type Counts } from "../model/outcome.ts";
import { listPages } from "./list-ledger.ts";
import type { Progress } from "./schema.ts";

/** How far a run has come, from the metadata of its ledger's blobs. */
export async function readProgress(
  service: BlobServiceClient,
  run: Pick<RunRecord, "id" | "started">,
): Promise<{ counts: Counts; progress: Progress }> {
  const counts = emptyCounts();
  const listed = { files: 0, bytes: 0, complete: false };
  const settled = { files: 0, bytes: 0 };
  let parts = 0;
  let known = 1;
  for await (const { blobs } of listPages(service, `${run.id}/`)) {
    for (const { name, metadata = {} } of blobs) {
      if (name.startsWith(`${run.id}/${OUTCOMES_FOLDER}`)) {
        const some = countsFromMetadata(metadata);
        addCounts(counts, some);
        // What the listing settled was never going to be copied.
        if (isOfListing(name)) continue;
        settled.files += filesOf(some) + some.directories;
        settled.bytes += some.bytes + some.unchangedBytes;
      } else if (metadata["rest"] !== undefined) {
        parts++;
        known += countIn(metadata, "rest");
        listed.files += countIn(metadata, "files");
        listed.bytes += countIn(metadata, "bytes");
      }
    }
  }
  listed.complete = parts === known;
  return { counts, progress: { listed, settled, ...paceOf(listed, settled, run.started) } };
}

/** Includes a guess at the time left. */
function paceOf(listed: Progress["listed"], settled: Progress["settled"], started: string) {
  const seconds = Math.max(0.001, (Date.now() - Date.parse(started)) / 1000);
  const cost = (some: { files: number; bytes: number }): number =>
    some.bytes + some.files * COST_OF_FILES.ofFile;
  const done = cost(settled);
  const pace = {
    bytesPerSecond: round(settled.bytes / seconds),
    filesPerSecond: round(settled.files / seconds),
  };
  if (!listed.complete || done === 0) return pace;
  return { ...pace, secondsLeft: round((Math.max(0, cost(listed) - done) * seconds) / done) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
