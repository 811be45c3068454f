import type { ContainerClient } from "@azure/storage-blob";
import pMap from "p-map";
import { createContainer } from "../ledger/ledger.ts";
import { classify } from "../storage/errors.ts";
import type { ListBlobsRequests, ListedBlob } from "../storage/list-blobs-request.ts";
import { retrying, withRetries } from "../storage/retries.ts";
import { formatMtime } from "./blob-headers.ts";
import { blobKey, blobName } from "./blob-name.ts";
import type { Entry } from "./entry.ts";
import type { Outcome } from "./outcome.ts";
import type { BackupRequest } from "./request.ts";

/** Directories of the destination that are listed at a time. */
const LISTS = 8;
/** A page of 5,000 blobs with their metadata, about. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** Whether nothing is below the prefix, so that a first backup need not ask what it would overwrite. Makes the container. */
export async function isEmptyDestination(container: ContainerClient, prefix: string): Promise<boolean> {
  try {
    const first = await withRetries((abortSignal) =>
      container
        .listBlobsFlat({ prefix: prefix === "" ? undefined : `${prefix}/`, abortSignal })
        .byPage({ maxPageSize: 1 })
        .next(),
    );
    return first.done === true || first.value.segment.blobItems.length === 0;
  } catch (error) {
    if (classify(error) !== "missing") throw error;
    await createContainer(container);
    return true;
  }
}

/**
 * Marks each entry with the blob that is at its place already, by one list call a directory (of up to 5,000 blobs).
 * @param outcomes gets the entries that need no copy: an incremental run's unchanged files
 * @returns the entries that need one
 */
export async function compareWithDestination(
  entries: readonly Entry[],
  outcomes: Outcome[],
  request: BackupRequest,
  requests: ListBlobsRequests,
  runId: string,
): Promise<Entry[]> {
  const unchanged = new Set<Entry>();
  await pMap(
    byDirectory(entries, request.prefix),
    async ([directory, inIt]) => {
      for await (const blobs of listFolder(requests, directory, request.mode === "incremental")) {
        for (const blob of blobs) {
          const entry = inIt.get(blob.name);
          if (!entry) continue;
          const { etag, md5, metadata } = blob;
          entry.existing = { etag, ...(md5 === undefined ? {} : { md5 }) };
          if (request.mode !== "incremental" || request.checksum || !isSame(entry, blob)) continue;
          unchanged.add(entry);
          const { path, kind, mtime, mode } = entry;
          // Written by this very run: an earlier attempt of it copied the file.
          const outcome = metadata["run"] === runId ? "copied" : "unchanged";
          outcomes.push({ path, kind, mtime, mode, outcome, size: entry.size, md5: md5 ?? "" });
        }
      }
    },
    { concurrency: LISTS },
  );
  return entries.filter((entry) => !unchanged.has(entry));
}

/** Size and time of change, the marks of azcopy for what it is, and a hash to restore by. */
function isSame(entry: Entry, { metadata, size, md5 }: ListedBlob): boolean {
  const kind =
    metadata["is_symlink"] === "true" ? "link" : metadata["hdi_isfolder"] === "true" ? "directory" : "file";
  return (
    kind === entry.kind &&
    (kind !== "file" || size === entry.size) &&
    metadata["mtime"] === formatMtime(entry.mtime) &&
    md5 !== undefined
  );
}

/** The entries by the folder of the container that they go to, there by the name that the service gives them. */
function byDirectory(entries: readonly Entry[], prefix: string): Map<string, Map<string, Entry>> {
  const directories = new Map<string, Map<string, Entry>>();
  for (const entry of entries) {
    const key = blobKey(blobName(entry.path, prefix));
    const directory = key.slice(0, key.lastIndexOf("/") + 1);
    let inIt = directories.get(directory);
    if (!inIt) directories.set(directory, (inIt = new Map()));
    inIt.set(key, entry);
  }
  return directories;
}

async function* listFolder(
  requests: ListBlobsRequests,
  folder: string,
  withMetadata: boolean,
): AsyncGenerator<ListedBlob[]> {
  let from: string | undefined;
  do {
    const page = await retrying(
      (timeout) => requests.page({ folder, from, withMetadata }, timeout),
      PAGE_BYTES,
    );
    yield page.blobs;
    from = page.next;
  } while (from !== undefined);
}
