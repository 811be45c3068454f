import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../ledger/ledger.ts";
import { indexedRuns, type RunSummary } from "../ledger/run-index.ts";
import { readRun } from "../ledger/run-record.ts";

/** The runs that have not ended, by the index of runs: a list call per 5,000 runs. */
export async function runningRuns(service: BlobServiceClient): Promise<RunSummary[]> {
  const running: RunSummary[] = [];
  for await (const { id, summary } of indexedRuns(service)) {
    const run = summary ?? (await readRun(new Ledger(service, id)));
    if (run?.status === "running") running.push(run);
  }
  return running;
}

/** The ids of backups that restores and verifications are reading. */
export async function readRuns(service: BlobServiceClient): Promise<Set<string>> {
  const running = await runningRuns(service);
  return new Set(running.flatMap(({ of }) => (of === undefined ? [] : [of])));
}
