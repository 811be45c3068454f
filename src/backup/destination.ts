import type { ContainerClient } from "@azure/storage-blob";
import pLimit from "p-limit";
import pMap from "p-map";
import { createContainer } from "../ledger/ledger.ts";
import { classify } from "../storage/errors.ts";
import {
  PAGE,
  type ListBlobsRequests,
  type ListedBlob,
  type ListedPage,
} from "../storage/list-blobs-request.ts";
import { retrying, withRetries } from "../storage/retries.ts";
import { formatMtime } from "./blob-headers.ts";
import { blobKey, blobName, folderOf } from "./blob-name.ts";
import type { Entry } from "./entry.ts";
import type { Outcome } from "./outcome.ts";
import type { BackupRequest } from "./request.ts";

/** Listings of the destination that are asked for at a time. */
const LISTS = 8;
/** Blobs that are listed beside those that are looked for, so that one listing does for many directories. */
const MOST_BESIDE = 2;
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

/** The blobs below a folder, by name; undefined when there are too many to list them all. */
type Below = Map<string, ListedBlob> | undefined;

/**
 * What is at the destination already. Of each directory that a part of the tree begins with all is listed that is below
 * it, 5,000 blobs a call, whatever number of directories they are in. Where there is far more than this part will look
 * at, its directories are listed one by one, by a call each (of up to 5,000 blobs).
 */
export class Destination {
  readonly #requests: ListBlobsRequests;
  readonly #request: BackupRequest;
  readonly #runId: string;
  /** The folders that the part begins with, and what is below them once that is asked for. */
  readonly #tops: Map<string, Promise<Below> | undefined>;
  readonly #limit = pLimit(LISTS);
  /** Blobs that may still be listed together with others. */
  #room: number;
  /** First pages that were asked for ahead, by folder. */
  readonly #ahead = new Map<string, Promise<ListedPage>>();

  /**
   * @param part the directories that it begins with, and how many files it looks at
   */
  constructor(
    requests: ListBlobsRequests,
    request: BackupRequest,
    runId: string,
    part: { directories: readonly string[]; files: number },
  ) {
    this.#requests = requests;
    this.#request = request;
    this.#runId = runId;
    this.#tops = new Map(
      part.directories.map((path) => [this.#folderOf(path === "" ? "x" : `${path}/x`), undefined]),
    );
    this.#room = part.files * MOST_BESIDE;
  }

  /**
   * Asks for what is at the place of a directory's files while these are looked up; nothing when enough is asked for.
   * @param path of one file in it
   */
  expect(path: string): void {
    const folder = this.#folderOf(path);
    if (this.#room > 0 && this.#topOf(folder) !== undefined) {
      // Whoever takes it gets the error.
      this.#below(folder)?.catch(() => {});
      return;
    }
    if (this.#ahead.size >= LISTS || this.#ahead.has(folder)) return;
    const first = this.#page(folder, undefined);
    first.catch(() => {});
    this.#ahead.set(folder, first);
  }

  /**
   * Marks each entry with the blob that is at its place already.
   * @param outcomes gets the entries that need no copy: an incremental run's unchanged files
   * @returns the entries that need one
   */
  async compare(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]> {
    const { mode, checksum, prefix } = this.#request;
    const unchanged = new Set<Entry>();
    await pMap(
      byFolder(entries, prefix),
      async ([folder, inIt]) => {
        for await (const [entry, blob] of this.#pairs(folder, inIt)) {
          const { etag, md5, metadata } = blob;
          entry.existing = { etag, ...(md5 === undefined ? {} : { md5 }) };
          if (mode !== "incremental" || checksum || !isSame(entry, blob)) continue;
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

  /** The entries of a folder that have a blob, with that. */
  async *#pairs(folder: string, entries: Map<string, Entry>): AsyncGenerator<[Entry, ListedBlob]> {
    const below = await this.#below(folder);
    if (below) {
      for (const [name, entry] of entries) {
        const blob = below.get(name);
        if (blob) yield [entry, blob];
      }
      return;
    }
    for await (const blob of this.#list(folder)) {
      const entry = entries.get(blob.name);
      if (entry) yield [entry, blob];
    }
  }

  /** What is below the top that a folder is in; undefined when it is in none. */
  #below(folder: string): Promise<Below> | undefined {
    const top = this.#topOf(folder);
    if (top === undefined) return undefined;
    const asked = this.#tops.get(top) ?? this.#limit(() => this.#listBelow(top));
    this.#tops.set(top, asked);
    return asked;
  }

  async #listBelow(top: string): Promise<Below> {
    const blobs = new Map<string, ListedBlob>();
    let from: string | undefined;
    do {
      if (this.#room <= 0) return undefined;
      const page = await this.#page(top, from, Math.min(PAGE, this.#room));
      for (const blob of page.blobs) blobs.set(blob.name, blob);
      this.#room -= page.blobs.length;
      from = page.next;
    } while (from !== undefined);
    return blobs;
  }

  /** The nearest folder, of those that the part begins with, that a folder is in. */
  #topOf(folder: string): string | undefined {
    for (let at = folder; ; at = folderOf(at.slice(0, -1))) {
      if (this.#tops.has(at)) return at;
      if (at === "") return undefined;
    }
  }

  /** The folder of the container that a file goes to. */
  #folderOf(path: string): string {
    return folderOf(blobKey(blobName(path, this.#request.prefix)));
  }

  async *#list(folder: string): AsyncGenerator<ListedBlob> {
    let page = await (this.#ahead.get(folder) ?? this.#page(folder, undefined));
    this.#ahead.delete(folder);
    yield* page.blobs;
    while (page.next !== undefined) {
      page = await this.#page(folder, page.next);
      yield* page.blobs;
    }
  }

  async #page(folder: string, from: string | undefined, mostBelow?: number): Promise<ListedPage> {
    const deep = mostBelow === undefined ? { deep: false } : { deep: true, most: mostBelow };
    const page = { folder, ...deep, from, withMetadata: this.#request.mode === "incremental" };
    return await retrying((timeout) => this.#requests.page(page, timeout), PAGE_BYTES);
  }
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
