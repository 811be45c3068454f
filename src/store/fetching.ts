import type { ManifestItem } from "../manifest/line.ts";
import type { Batching, PlannedItem } from "../manifest/plan-record.ts";
import type { Source } from "../model/content.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Budget } from "../storage/budget.ts";

/** Where an item's content is, or why it is lost, as a message. */
export type Found = { source: Source } | { lost: string };

/** Receives a content in order, each byte once. The buffer may be reused once the promise settles. */
export type Take = (bytes: Buffer, position: number) => Promise<void>;

/**
 * Reads a content, and checks its hash at the end; until then the bytes may be wrong. A second call fetches it again.
 * @throws Lost, Corrupt; what `take` throws; storage errors, after retries
 */
export type Read = (take: Take) => Promise<void>;

/** A part of a content. */
export interface ByteRange {
  from: number;
  /** Not included. */
  to: number;
}

/** How far a large content is read: what one activity passes on to the next. */
export interface Reached {
  /** Bytes read. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
  /** Where the content is now, if it has moved since the plan. */
  source?: Source;
}

/** A content that cannot be read. */
export interface Unreadable {
  item: ManifestItem;
  /** What reading it threw; absent if it was not found. */
  error?: Lost;
}

/** What a restore and a verification do with a destination. */
export interface Fetching extends Pick<Batching, "arrange"> {
  /**
   * Finds the content of each item of a manifest, by list calls; the more items per call, the fewer requests. An item whose
   * content is missing is not an error.
   * @throws storage errors, after retries
   */
  find(items: readonly ManifestItem[]): Promise<Map<ManifestItem, Found>>;

  /**
   * Calls `work` for each item of a batch, with a `read` that fetches its content; without a read nothing is fetched. The
   * layout decides the order and the concurrency. A content that has moved since it was found is found again.
   * @returns the outcomes, in no order, without those that are undefined
   * @throws the first error that `work` throws; the other items are left for the next try
   */
  fetch(
    items: readonly PlannedItem[],
    budget: Budget,
    work: (item: PlannedItem, read: Read) => Promise<Outcome | undefined>,
  ): Promise<Outcome[]>;

  /**
   * Reads a content in order, in pieces of a few MiB, of which at most three are in memory. The last piece of a whole content is given
   * only once its hash was checked; of a part the hash cannot be.
   * @throws as `Read` does
   */
  stream(item: PlannedItem, part?: ByteRange): AsyncGenerator<Buffer, void>;

  /**
   * Reads the next span of a large content, for a bounded time.
   * @param until when to end the span, by `performance.now()`
   * @returns how far it got; undefined at the end, if the hash is right
   * @throws as `Read` does
   */
  readSpan(
    item: PlannedItem,
    from: Reached,
    until: number,
    budget: Budget,
    take: Take,
  ): Promise<Reached | undefined>;

  /**
   * Makes the next backups store these contents again, even if their files are unchanged. Does nothing where a backup finds out by
   * itself what is damaged.
   * @throws storage errors, after retries
   */
  avoid(unreadable: readonly Unreadable[]): Promise<void>;
}

/** An item's content cannot be read, and trying again will not help; the message says why. */
export class Lost extends Error {}

/** The fetched content is not what the run recorded. It may have been damaged on the way, so fetching it again may help. */
export class Corrupt extends Lost {}
