import type { BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../storage/ledger-container.ts";
import { Ledger } from "../ledger/ledger.ts";
import { INDEX_PREFIX, readIndexName, readSummary, type RunSummary } from "../ledger/run-index.ts";
import { readRun } from "../ledger/run-record.ts";
import { blobPages } from "../storage/blob-pages.ts";

/** The runs that have not ended, by the index of runs: one list call. */
export async function runningRuns(service: BlobServiceClient): Promise<RunSummary[]> {
  const running: RunSummary[] = [];
  const container = service.getContainerClient(LEDGER_CONTAINER);
  for await (const { blobs } of blobPages(container, { prefix: INDEX_PREFIX, includeMetadata: true })) {
    for (const blob of blobs) {
      const id = readIndexName(blob.name)?.id;
      if (id === undefined) continue;
      const run = readSummary(blob) ?? (await readRun(new Ledger(service, id)));
      if (run?.status === "running") running.push(run);
    }
  }
  return running;
}

/** The backups that restores and verifications are reading. */
export async function readRuns(service: BlobServiceClient): Promise<Set<string>> {
  const running = await runningRuns(service);
  return new Set(running.flatMap(({ of }) => (of === undefined ? [] : [of])));
}
