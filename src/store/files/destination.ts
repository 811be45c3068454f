import pMap from "p-map";
import type { Entry } from "../../model/entry.ts";
import { failed, type Outcome } from "../../model/outcome.ts";
import { pathMark } from "../../model/path.ts";
import type { ListBlobsRequests, ListedBlob } from "../../storage/list-blobs-request.ts";
import type { Compared, Comparing, Comparison, Writer } from "../storing.ts";
import { looksUnchanged, unchanged } from "../unchanged.ts";
import { kindOf, readMarks, rootMark, type Marks } from "./blob-headers.ts";
import { blobKey, blobName, byFolder, folderOf } from "./blob-name.ts";
import { CLASH } from "./conflict.ts";
import { DestinationListings, LISTS } from "./destination-listings.ts";

/** The listings of an empty destination: no requests. */
export const NOTHING_THERE: Comparison = {
  expect() {},
  compare: async (entries) => [...entries],
};

/** Compares entries with what is at the destination. */
export class Destination implements Comparison {
  readonly #writer: Pick<Writer, "run" | "root">;
  readonly #how: Comparing;
  readonly #prefix: string;
  readonly #listings: DestinationListings;
  readonly #onlyRoot: () => Promise<boolean>;

  /** @param onlyRoot whether all known backups there are of the writer's root */
  constructor(
    writer: Pick<Writer, "run" | "root">,
    how: Comparing,
    { tops, files }: Compared,
    {
      prefix,
      requests,
      onlyRoot,
    }: {
      prefix: string;
      requests: ListBlobsRequests;
      onlyRoot: () => Promise<boolean>;
    },
  ) {
    this.#writer = writer;
    this.#how = how;
    this.#prefix = prefix;
    this.#onlyRoot = onlyRoot;
    const folders = tops.map((path) => this.#folderOf(path === "" ? "x" : `${path}/x`));
    this.#listings = new DestinationListings(requests, { folders, files });
  }

  expect(path: string): void {
    this.#listings.expect(this.#folderOf(path));
  }

  /** Adds to each entry the blob at its place. Contents are compared, if requested, when the entry is stored. */
  async compare(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]> {
    const settled = new Set<Entry>();
    await pMap(
      byFolder(entries, this.#prefix),
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

  /** An entry's outcome, or the entry with what it takes to overwrite its blob. */
  async #compareWith(blob: ListedBlob, entry: Entry): Promise<Outcome | undefined> {
    const { path, kind } = entry;
    const { etag, md5, size, held } = blob;
    const marks = readMarks(blob.metadata);
    const ofAnother = marks?.path !== undefined && marks.path !== pathMark(path);
    const writtenNow = marks?.run === this.#writer.run;
    if (writtenNow && ofAnother) return failed(entry, CLASH);
    entry.existing = { etag, md5, held, ...(ofAnother ? { ofAnother } : {}) };
    const { checksum, mode: how } = this.#how;
    if (md5 === undefined || kindOf(blob.metadata) !== kind) return undefined;
    // A blob that cannot be overwritten may have the content already.
    if (held !== undefined) Object.assign(entry.existing, { kind, size });
    if (how !== "incremental") return undefined;
    if (!checksum) {
      if (!marks || !looksUnchanged(entry, { size, mtime: marks.mtime })) return undefined;
      if (await this.#isCertain(entry, marks)) {
        const outcome = unchanged(entry, { md5, etag });
        // An earlier attempt of this run copied the file.
        return writtenNow ? { ...outcome, outcome: "copied" } : outcome;
      }
      entry.existing.stale = true;
    }
    Object.assign(entry.existing, { kind, size });
    return undefined;
  }

  /**
   * Whether an entry with the size and time of its blob also has its content. Blobs of earlier releases lack some of the marks
   * that this takes.
   */
  async #isCertain({ path, ctime }: Entry, marks: Marks): Promise<boolean> {
    const samePath = marks.path === undefined ? !path.includes("\\") : marks.path === pathMark(path);
    const sameCtime = marks.ctime === undefined || ctime === undefined || marks.ctime === ctime;
    if (!samePath || !sameCtime) return false;
    return marks.root === undefined ? await this.#onlyRoot() : marks.root === rootMark(this.#writer.root);
  }

  /** The folder that a file's blob is in. */
  #folderOf(path: string): string {
    return folderOf(blobKey(blobName(path, this.#prefix)));
  }
}
