import type { BlobServiceClient } from "@azure/storage-blob";
import { countsFromMetadata, fencesFromMetadata, type Fences } from "../ledger/metadata.ts";
import { isOfDirectories, OUTCOMES_FOLDER } from "../ledger/names.ts";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { compareKeys } from "../model/order.ts";
import { filesOf } from "../model/outcome.ts";
import { listedPage } from "../storage/blob-pages.ts";
import { ListBlobsRequests, type ListedBlob } from "../storage/list-blobs-request.ts";

/** Assumed bytes per line, if a blob does not say how many lines it has. */
const LINE_BYTES = 200;
/** Sorted records that may overlap at any place. A run's own are three a level of parts, and it has few levels. */
const MOST_OVERLAPPING = 32;

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
  const files = counted > 0 ? counted : Math.ceil(bytes / LINE_BYTES);
  return { name: name.slice(run.length + 1), files, content, bytes, etag, ...(fences ? { fences } : {}) };
}

/**
 * A map without fences if more records overlap than a run writes, because a merge holds those in memory together. Others wrote
 * them: they are read like unsorted records.
 */
export function boundOverlap(map: RunMap): RunMap {
  if (mostOverlapping([...map.outcomes, ...map.directories]) <= MOST_OVERLAPPING) return map;
  return { outcomes: map.outcomes.map(withoutFences), directories: map.directories.map(withoutFences) };
}

function mostOverlapping(blobs: readonly ManifestBlob[]): number {
  const fences = blobs.flatMap((blob) => (blob.fences ? [blob.fences] : []));
  const firsts = fences.map(({ first }) => first).sort(compareKeys);
  const lasts = fences.map(({ last }) => last).sort(compareKeys);
  let most = 0;
  let ended = 0;
  for (const [begun, first] of firsts.entries()) {
    while (lasts[ended]! < first) ended++;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}

function withoutFences({ fences: _fences, ...blob }: ManifestBlob): ManifestBlob {
  return blob;
}
