import type { BlobServiceClient } from "@azure/storage-blob";
import { fencesFromMetadata, type Fences } from "../ledger/fences.ts";
import { isOfDirectories, OUTCOMES_FOLDER } from "../ledger/names.ts";
import { countsFromMetadata } from "../ledger/counts-metadata.ts";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { filesOf } from "../model/outcome.ts";
import { listedPage } from "../storage/blob-pages.ts";
import { ListBlobsRequests, type ListedBlob } from "../storage/list-blobs-request.ts";

/** One record of a manifest. Its lines are outcomes, or directories. */
export interface ManifestBlob {
  /** Below the run's folder. */
  name: string;
  /** How many names it settles. */
  files: number;
  /** Bytes of the contents that it names, if known. */
  content: number;
  bytes: number;
  etag: string;
  /** Absent if it is not sorted: an older release wrote it. */
  fences?: Fences;
}

/** All records of a run's manifest. */
export interface RunMap {
  outcomes: ManifestBlob[];
  directories: ManifestBlob[];
}

/** Assumed bytes per line, if a blob does not say how many lines it has. */
const LINE = 200;

/** An account, and how it is reached. */
export interface Account {
  service: BlobServiceClient;
  /** Whether requests must go through the SDK, whose listings take more time and memory; true by default. */
  behindProxy?: boolean;
}

/** The records of a run's manifest, in the order of their names. One list call for 5,000 of them. */
export async function mapRun({ service, behindProxy = true }: Account, run: string): Promise<RunMap> {
  const requests = new ListBlobsRequests(service.getContainerClient(LEDGER_CONTAINER), behindProxy);
  const map: RunMap = { outcomes: [], directories: [] };
  let from: string | undefined;
  do {
    const page = { folder: `${run}/${OUTCOMES_FOLDER}`, deep: true, from, withMetadata: true };
    // Where there is no container there is no run.
    const listed = await listedPage(requests, page);
    for (const blob of listed?.blobs ?? []) {
      const record = recordOf(blob, run);
      (isOfDirectories(record.name) ? map.directories : map.outcomes).push(record);
    }
    from = listed?.next;
  } while (from !== undefined);
  return map;
}

function recordOf({ name, size: bytes, etag, metadata }: ListedBlob, run: string): ManifestBlob {
  const counts = countsFromMetadata(metadata);
  const counted = filesOf(counts) + counts.directories;
  const fences = fencesFromMetadata(metadata);
  const content = counts.bytes + counts.unchangedBytes;
  const files = counted > 0 ? counted : Math.ceil(bytes / LINE);
  return { name: name.slice(run.length + 1), files, content, bytes, etag, ...(fences ? { fences } : {}) };
}
