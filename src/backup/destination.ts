import type { BlobItem, BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import pMap from "p-map";
import { createContainer } from "../ledger/ledger.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { formatMtime } from "./blob-headers.ts";
import { blobKey, blobName } from "./blob-name.ts";
import type { Entry } from "./entry.ts";
import type { Outcome } from "./outcome.ts";
import type { BackupRequest } from "./request.ts";

/** Directories of the destination that are listed at a time. */
const LISTS = 8;

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
  service: BlobServiceClient,
  runId: string,
): Promise<Entry[]> {
  const container = service.getContainerClient(request.container);
  const unchanged = new Set<Entry>();
  await pMap(
    byDirectory(entries, request.prefix),
    async ([directory, inIt]) => {
      for await (const blob of listDirectory(container, directory, request.mode === "incremental")) {
        const entry = inIt.get(blob.name);
        if (!entry) continue;
        const md5 = blob.properties.contentMD5;
        const existing = {
          etag: blob.properties.etag,
          ...(md5 ? { md5: Buffer.from(md5).toString("base64") } : {}),
        };
        entry.existing = existing;
        if (request.mode !== "incremental" || request.checksum || !isSame(entry, blob)) continue;
        unchanged.add(entry);
        const { path, kind, mtime, mode } = entry;
        // Written by this very run: an earlier attempt of it copied the file.
        const outcome = blob.metadata?.["run"] === runId ? "copied" : "unchanged";
        outcomes.push({ path, kind, mtime, mode, outcome, size: entry.size, md5: existing.md5 ?? "" });
      }
    },
    { concurrency: LISTS },
  );
  return entries.filter((entry) => !unchanged.has(entry));
}

/** Size and time of change, the marks of azcopy for what it is, and a hash to restore by. */
function isSame(entry: Entry, blob: BlobItem): boolean {
  const { metadata, properties } = blob;
  const kind =
    metadata?.["is_symlink"] === "true"
      ? "link"
      : metadata?.["hdi_isfolder"] === "true"
        ? "directory"
        : "file";
  return (
    kind === entry.kind &&
    (kind !== "file" || properties.contentLength === entry.size) &&
    metadata?.["mtime"] === formatMtime(entry.mtime) &&
    properties.contentMD5 !== undefined
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

async function* listDirectory(container: ContainerClient, directory: string, includeMetadata: boolean) {
  const pages = (continuationToken?: string) =>
    withRetries((abortSignal) =>
      container
        .listBlobsByHierarchy("/", {
          prefix: directory === "" ? undefined : directory,
          includeMetadata,
          abortSignal,
        })
        .byPage({ maxPageSize: 5000, ...(continuationToken ? { continuationToken } : {}) })
        .next(),
    );
  let token: string | undefined;
  do {
    const page = await pages(token);
    if (page.done) return;
    yield* page.value.segment.blobItems;
    token = page.value.continuationToken || undefined;
  } while (token);
}
