import type { ContainerClient } from "@azure/storage-blob";
import pMap from "p-map";
import { createContainer } from "../ledger/ledger.ts";
import { classify } from "../storage/errors.ts";
import type { ListBlobsRequests, ListedBlob } from "../storage/list-blobs-request.ts";
import { withRetries } from "../storage/retries.ts";
import { formatMtime } from "./blob-headers.ts";
import { blobKey, blobName, folderOf } from "./blob-name.ts";
import { DestinationListings, LISTS } from "./destination-listings.ts";
import type { Entry, EntryKind } from "./entry.ts";
import type { Outcome } from "./outcome.ts";
import type { BackupRequest } from "./request.ts";

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

/** What is at the destination already. */
export class Destination {
  readonly #request: BackupRequest;
  readonly #runId: string;
  readonly #listings: DestinationListings;

  /** @param part the directories that it begins with, and how many files it may look at */
  constructor(
    requests: ListBlobsRequests,
    request: BackupRequest,
    runId: string,
    { directories, files }: { directories: readonly string[]; files: number },
  ) {
    this.#request = request;
    this.#runId = runId;
    const folders = directories.map((path) => this.#folderOf(path === "" ? "x" : `${path}/x`));
    const withMetadata = request.mode === "incremental";
    this.#listings = new DestinationListings(requests, withMetadata, { folders, files });
  }

  /**
   * Asks for what is at the place of a directory's files while these are looked up.
   * @param path of one file in it
   */
  expect(path: string): void {
    this.#listings.expect(this.#folderOf(path));
  }

  /**
   * Marks each entry with the blob that is at its place already; whoever copies it compares contents, if that is asked for.
   * @param outcomes gets the entries that need no copy: an incremental run's unchanged files
   * @returns the entries that need one
   */
  async compare(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]> {
    const { mode, checksum, prefix } = this.#request;
    const unchanged = new Set<Entry>();
    await pMap(
      byFolder(entries, prefix),
      async ([folder, inIt]) => {
        for await (const [entry, blob] of this.#listings.find(folder, inIt)) {
          const { etag, md5, metadata } = blob;
          entry.existing = { etag, ...(md5 === undefined ? {} : { md5 }) };
          if (mode !== "incremental") continue;
          if (checksum) Object.assign(entry.existing, { kind: kindOf(blob), size: blob.size });
          if (checksum || !isSame(entry, blob)) continue;
          unchanged.add(entry);
          const { path, kind, mtime, mode: permissions, size } = entry;
          // Written by this very run: an earlier attempt of it copied the file.
          const outcome = metadata["run"] === this.#runId ? "copied" : "unchanged";
          outcomes.push({ path, kind, mtime, mode: permissions, outcome, size, md5: md5 ?? "" });
        }
      },
      { concurrency: LISTS },
    );
    return entries.filter((entry) => !unchanged.has(entry));
  }

  /** The folder of the container that a file goes to. */
  #folderOf(path: string): string {
    return folderOf(blobKey(blobName(path, this.#request.prefix)));
  }
}

/** Size and time of change, the marks of azcopy for what it is, and a hash to restore by. */
function isSame(entry: Entry, blob: ListedBlob): boolean {
  const { metadata, size, md5 } = blob;
  return (
    kindOf(blob) === entry.kind &&
    (entry.kind !== "file" || size === entry.size) &&
    metadata["mtime"] === formatMtime(entry.mtime) &&
    md5 !== undefined
  );
}

function kindOf({ metadata }: ListedBlob): EntryKind {
  if (metadata["is_symlink"] === "true") return "link";
  return metadata["hdi_isfolder"] === "true" ? "directory" : "file";
}

/** The entries by the folder of the container that they go to, there by the name that the service gives them. */
function byFolder(entries: readonly Entry[], prefix: string): Map<string, Map<string, Entry>> {
  const folders = new Map<string, Map<string, Entry>>();
  for (const entry of entries) {
    const key = blobKey(blobName(entry.path, prefix));
    const folder = folderOf(key);
    let inIt = folders.get(folder);
    if (!inIt) folders.set(folder, (inIt = new Map()));
    inIt.set(key, entry);
  }
  return folders;
}
