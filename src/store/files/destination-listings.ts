import pLimit from "p-limit";
import {
  PAGE_BYTES,
  type ListBlobsRequests,
  type ListedBlob,
  type ListedPage,
  type PageRequest,
} from "../../storage/list-blobs-request.ts";
import { retrying } from "../../storage/retries.ts";
import { folderOf } from "./blob-name.ts";

/** Concurrent list requests. */
export const LISTS = 8;
/** Blobs to list, at most, for each file that the part may look at: half of them may be others. */
const BLOBS_A_FILE = 2;
/**
 * Blobs in a page of everything below a folder. The next page is requested while one is read. With the service's maximum of
 * 5,000, Azurite takes 1.5 times as long for each blob (docs/performance.md); a real account does not care.
 */
const PAGE_BELOW = 2_000;

/** A requested page. Its error is thrown where it is used. */
interface AskedPage {
  page: Promise<ListedPage>;
  /** The next page; undefined if there is no room for it. */
  following: (from: string) => AskedPage | undefined;
}

const IGNORE = (): void => {};

/** The blobs below a folder, by name; undefined if there are too many to list. */
type Below = Map<string, ListedBlob> | undefined;

/**
 * The blobs at the destination of a part of the tree. Everything below each folder that the part begins with is listed, 2,000
 * blobs a call. If that is far more than the part will look at, its folders are listed one by one, in calls of up to 5,000
 * blobs.
 */
export class DestinationListings {
  readonly #requests: ListBlobsRequests;
  /** What is below the folders that the part begins with, once requested. */
  readonly #tops: Map<string, Promise<Below> | undefined>;
  readonly #limit = pLimit(LISTS);
  /** The number of blobs that may still be listed this way. */
  #room: number;
  /** First pages that were requested ahead, by folder. */
  readonly #ahead = new Map<string, Promise<ListedPage>>();

  /**
   * @param folders those that the part begins with; they end in `/`, or are empty for the container's top
   * @param files the number that it may look at
   */
  constructor(
    requests: ListBlobsRequests,
    { folders, files }: { folders: readonly string[]; files: number },
  ) {
    this.#requests = requests;
    this.#tops = new Map(folders.map((folder) => [folder, undefined]));
    this.#room = files * BLOBS_A_FILE;
  }

  /** Requests a folder's blobs ahead, unless enough is requested already. */
  expect(folder: string): void {
    if (this.#room > 0 && this.#topOf(folder) !== undefined) {
      this.#below(folder)?.catch(IGNORE);
      return;
    }
    if (this.#ahead.size >= LISTS || this.#ahead.has(folder)) return;
    const first = this.#page(folder, undefined);
    first.catch(IGNORE);
    this.#ahead.set(folder, first);
  }

  /** The wanted blobs of a folder, each with what it is wanted for. */
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

  /** What is below the top that a folder is in; undefined if it is in none. */
  #below(folder: string): Promise<Below> | undefined {
    const top = this.#topOf(folder);
    if (top === undefined) return undefined;
    const asked = this.#tops.get(top) ?? this.#limit(() => this.#listBelow(top));
    this.#tops.set(top, asked);
    return asked;
  }

  async #listBelow(top: string): Promise<Below> {
    const blobs = new Map<string, ListedBlob>();
    let asked = this.#askBelow(top, undefined);
    while (asked) {
      const page: ListedPage = await asked.page;
      for (const blob of page.blobs) blobs.set(blob.name, blob);
      if (page.next === undefined) return blobs;
      asked = asked.following(page.next);
    }
    return undefined;
  }

  /** Requests a page of everything below a folder, if there is room for it, and then the next one. */
  #askBelow(top: string, from: string | undefined): AskedPage | undefined {
    const most = Math.min(PAGE_BELOW, this.#room);
    if (most <= 0) return undefined;
    this.#room -= most;
    let following: AskedPage | undefined;
    const onNext = (next: string): void => {
      following ??= this.#askBelow(top, next);
    };
    const page = this.#page(top, from, { deep: true, most, onNext }).then((it) => {
      this.#room += most - it.blobs.length;
      return it;
    });
    page.catch(IGNORE);
    return { page, following: (next) => following ?? this.#askBelow(top, next) };
  }

  /** The nearest of the folders that the part begins with, above or at a folder. */
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

  async #page(
    folder: string,
    from: string | undefined,
    how: Pick<PageRequest, "deep" | "most" | "onNext"> = { deep: false },
  ): Promise<ListedPage> {
    const page = { folder, from, withMetadata: true, ...how };
    return await retrying((timeout) => this.#requests.page(page, timeout), PAGE_BYTES);
  }
}
