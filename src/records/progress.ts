import type { BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../backup/request.ts";
import { emptyCounts, type Counts } from "../backup/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readRun, type RunRecord } from "../ledger/run-record.ts";

/** A run's summary, and how far it is. */
export interface RunProgress extends RunRecord {
  progress: {
    /** What is settled: files and bytes by outcome. */
    counts: Counts;
    /** What is to be copied, as far as it is known; complete when nothing is left to list. */
    listed: { files: number; bytes: number; complete: boolean };
  };
}

/** How far a run is, by one list call over its ledger; undefined when there is no such run. */
export async function readProgress(
  service: BlobServiceClient,
  runId: string,
): Promise<RunProgress | undefined> {
  const record = await readRun(new Ledger(service, runId));
  if (!record) return undefined;
  const counts = emptyCounts();
  const listed = { files: 0, bytes: 0, complete: false };
  let parts = 0;
  let rest = 1;
  const container = service.getContainerClient(LEDGER_CONTAINER);
  for await (const { name, metadata } of container.listBlobsFlat({
    prefix: `${runId}/`,
    includeMetadata: true,
  })) {
    if (name.startsWith(`${runId}/outcomes/`)) {
      for (const key of Object.keys(counts) as (keyof Counts)[])
        counts[key] += whole(metadata?.[key.toLowerCase()]);
    } else if (metadata?.["rest"] !== undefined) {
      parts++;
      rest += whole(metadata["rest"]);
      listed.files += whole(metadata["files"]);
      listed.bytes += whole(metadata["bytes"]);
    }
  }
  listed.complete = parts === rest;
  return { ...record, progress: { counts, listed } };
}

function whole(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
