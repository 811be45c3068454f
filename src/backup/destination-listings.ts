import pLimit from "p-limit";
import {
  PAGE,
  type ListBlobsRequests,
  type ListedBlob,
  type ListedPage,
} from "../storage/list-blobs-request.ts";
import { retrying } from "../storage/retries.ts";
import { folderOf } from "./blob-name.ts";

/** Listings that are asked for at a time. */
export const LISTS = 8;
/** Blobs that are listed together, for each file that the part may look at: as many again may be beside those. */
const BLOBS_A_FILE = 2;
/** A page of 5,000 blobs with their metadata, about. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** The blobs below a folder, by name; undefined when there are too many to list them all. */
type Below = Map<string, ListedBlob> | undefined;

/**
 * The blobs that are at the destination of a part of the tree. Of each folder that the part begins with all is listed
 * that is below it, 5,000 blobs a call, whatever number of folders they are in. Where there is far more than the part
 * will look at, its folders are listed one by one, by a call each (of up to 5,000 blobs).
 */
export class DestinationListings {
  readonly #requests: ListBlobsRequests;
  readonly #withMetadata: boolean;
  /** What is below the folders that the part begins with, once that is asked for. */
  readonly #tops: Map<string, Promise<Below> | undefined>;
  readonly #limit = pLimit(LISTS);
  /** Blobs that may still be listed together with others. */
  #room: number;
  /** First pages that were asked for ahead, by folder. */
  readonly #ahead = new Map<string, Promise<ListedPage>>();

  /**
   * @param folders that the part begins with; they end in `/`, or are empty for the container's top
   * @param files that it may look at
   */
  constructor(
    requests: ListBlobsRequests,
    withMetadata: boolean,
    { folders, files }: { folders: readonly string[]; files: number },
  ) {
    this.#requests = requests;
    this.#withMetadata = withMetadata;
    this.#tops = new Map(folders.map((folder) => [folder, undefined]));
    this.#room = files * BLOBS_A_FILE;
  }

  /** Asks for what is in a folder, for somebody will want it soon; nothing when enough is asked for. */
  expect(folder: string): void {
    // Whoever takes it gets the error.
    const ignore = (): void => {};
    if (this.#room > 0 && this.#topOf(folder) !== undefined) {
      this.#below(folder)?.catch(ignore);
      return;
    }
    if (this.#ahead.size >= LISTS || this.#ahead.has(folder)) return;
    const first = this.#page(folder, undefined);
    first.catch(ignore);
    this.#ahead.set(folder, first);
  }

  /** Those of a folder's blobs that are wanted, each with what it is wanted for. */
  async *find<T>(folder: string, wanted: ReadonlyMap<string, T>): AsyncGenerator<[T, ListedBlob]> {
    const below = await this.#below(folder);
    if (below) {
      for (const [name, what] of wanted) {
        const blob = below.get(name);
        if (blob) yield [what, blob];
      }
      return;
    }
    for await (const blob of this.#inFolder(folder)) {
      const what = wanted.get(blob.name);
      if (what !== undefined) yield [what, blob];
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

  async *#inFolder(folder: string): AsyncGenerator<ListedBlob> {
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
    const page = { folder, ...deep, from, withMetadata: this.#withMetadata };
    return await retrying((timeout) => this.#requests.page(page, timeout), PAGE_BYTES);
  }
}
