import type { ManifestItem } from "../manifest/manifest.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Source } from "../model/source.ts";
import type { Budget } from "../storage/budget.ts";

/** A destination: a container, and what in it lies below a prefix. */
export interface Place {
  container: string;
  prefix: string;
}

/** Where an item's content is, or why it is not there, for people. */
export type Found = { source: Source } | { lost: string };

/**
 * Hands on a content in order, each byte once, and checks its hash at the end: until then it may be another one. The bytes
 * are the taker's until its promise settles. Calling it again fetches the content again.
 * @throws Lost, Corrupt; what `take` throws; errors of the account, retried already
 */
export type Read = (take: (bytes: Buffer, position: number) => Promise<void>) => Promise<void>;

/**
 * How a destination keeps contents. Backup, restore, verify and prune know no more of it than this; blob names, metadata,
 * snapshots and versions are for the layout behind it. Any call may be repeated, at the same time and on another machine.
 */
export interface Store {
  /** Why no content of this path can be kept, for people; undefined where one can. */
  whyNot(path: string): string | undefined;

  /**
   * Finds the content of each item of a manifest, and downloads nothing. Costs list calls, fewer the more items are given at a
   * time. An item whose content is not there is no error.
   * @throws errors of the account, retried already
   */
  find(items: readonly ManifestItem[]): Promise<Map<ManifestItem, Found>>;

  /**
   * Does something with each item of a batch, `read` giving its content: what is not read is not fetched. Items come in the
   * order and as many at a time as suits where they lie. A content that has moved since it was found is found again.
   * @returns the outcomes, in no order
   * @throws the first error that `work` throws; the other items are left for the next try
   */
  fetch(
    items: readonly PlannedItem[],
    budget: Budget,
    work: (item: PlannedItem, read: Read) => Promise<Outcome>,
  ): Promise<Outcome[]>;
}

/** An item's content cannot be had, and trying again will not help; the message says why, for people. */
export class Lost extends Error {}

/** What was fetched is not what the run recorded. It may have been damaged on the way: fetching it again can help. */
export class Corrupt extends Lost {}
