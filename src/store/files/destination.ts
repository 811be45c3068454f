import type { ContainerClient } from "@azure/storage-blob";
import pMap from "p-map";
import { createContainer } from "../../ledger/ledger.ts";
import { pathMark } from "../../model/path.ts";
import { classify } from "../../storage/errors.ts";
import type { ListBlobsRequests, ListedBlob } from "../../storage/list-blobs-request.ts";
import { withRetries } from "../../storage/retries.ts";
import { kindOf, readMarks, rootMark, type Marks } from "./blob-headers.ts";
import { blobKey, blobName, folderOf } from "../../model/blob-name.ts";
import { DestinationListings, LISTS } from "./destination-listings.ts";
import type { Entry } from "../../model/entry.ts";
import { CLASH } from "./not-written.ts";
import { failed, type Outcome } from "../../model/outcome.ts";
import type { BackupMode } from "../../model/request-fields.ts";

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

/** How a backup compares its files with what is there. */
interface Comparing {
  root: string;
  prefix: string;
  mode: BackupMode;
  checksum: boolean;
}

/** What is at the destination already. */
export class Destination {
  readonly #request: Comparing;
  readonly #runId: string;
  readonly #listings: DestinationListings;

  readonly #onlyRoot: () => Promise<boolean>;

  /**
   * @param part the directories that it begins with, and how many files it may look at
   * @param onlyRoot whether all backups there are of the request's root, as far as is known
   */
  constructor(
    requests: ListBlobsRequests,
    request: Comparing,
    runId: string,
    { directories, files }: { directories: readonly string[]; files: number },
    onlyRoot: () => Promise<boolean>,
  ) {
    this.#request = request;
    this.#runId = runId;
    this.#onlyRoot = onlyRoot;
    const folders = directories.map((path) => this.#folderOf(path === "" ? "x" : `${path}/x`));
    this.#listings = new DestinationListings(requests, { folders, files });
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
    const settled = new Set<Entry>();
    await pMap(
      byFolder(entries, this.#request.prefix),
      async ([folder, entriesInFolder]) => {
        for await (const [sameName, blob] of this.#listings.find(folder, entriesInFolder)) {
          for (const entry of sameName) {
            const outcome = await this.#compareWith(blob, entry);
            if (!outcome) continue;
            settled.add(entry);
            outcomes.push(outcome);
          }
        }
      },
      { concurrency: LISTS },
    );
    return entries.filter((entry) => !settled.has(entry));
  }

  /** Says what became of an entry, or else what it takes to write over its blob. */
  async #compareWith(blob: ListedBlob, entry: Entry): Promise<Outcome | undefined> {
    const { path, kind, mtime, mode } = entry;
    const { etag, md5, size, held } = blob;
    const marks = readMarks(blob.metadata);
    const ofAnother = marks?.path !== undefined && marks.path !== pathMark(path);
    const writtenNow = marks?.run === this.#runId;
    if (writtenNow && ofAnother) return failed(entry, CLASH);
    entry.existing = { etag, md5, held, ...(ofAnother ? { ofAnother } : {}) };
    const { checksum, mode: how } = this.#request;
    if (md5 === undefined || kindOf(blob.metadata) !== kind) return undefined;
    // What cannot be written over may have the content already.
    if (held !== undefined) Object.assign(entry.existing, { kind, size });
    if (how !== "incremental") return undefined;
    if (!checksum) {
      if (marks?.mtime !== mtime || (kind === "file" && size !== entry.size)) return undefined;
      if (await this.#isCertain(entry, marks)) {
        // Written by this very run: an earlier attempt of it copied the file.
        return {
          path,
          kind,
          mtime,
          mode,
          outcome: writtenNow ? "copied" : "unchanged",
          size: entry.size,
          md5,
        };
      }
      entry.existing.stale = true;
    }
    Object.assign(entry.existing, { kind, size });
    return undefined;
  }

  /**
   * Whether an entry of the same size and time of change as its blob has the same content, too. Earlier releases did not
   * mark their blobs with all that it takes to be so.
   */
  async #isCertain({ path, ctime }: Entry, marks: Marks): Promise<boolean> {
    const samePath = marks.path === undefined ? !path.includes("\\") : marks.path === pathMark(path);
    const sameCtime = marks.ctime === undefined || ctime === undefined || marks.ctime === ctime;
    if (!samePath || !sameCtime) return false;
    return marks.root === undefined ? await this.#onlyRoot() : marks.root === rootMark(this.#request.root);
  }

  /** The folder of the container that a file goes to. */
  #folderOf(path: string): string {
    return folderOf(blobKey(blobName(path, this.#request.prefix)));
  }
}

/** The entries by the folder of the container that they go to, there by the name that the service gives them. */
function byFolder(entries: readonly Entry[], prefix: string): Map<string, Map<string, Entry[]>> {
  const folders = new Map<string, Map<string, Entry[]>>();
  for (const entry of entries) {
    const key = blobKey(blobName(entry.path, prefix));
    const folder = folderOf(key);
    let entriesInFolder = folders.get(folder);
    if (!entriesInFolder) folders.set(folder, (entriesInFolder = new Map()));
    const sameName = entriesInFolder.get(key);
    if (sameName) sameName.push(entry);
    else entriesInFolder.set(key, [entry]);
  }
  return folders;
}
