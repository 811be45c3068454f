import type { BlobClient, BlobDeleteOptions } from "@azure/storage-blob";
import type { z } from "zod";
import type { ManifestItem } from "../manifest/line.ts";
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

/** One content that a destination holds, and what else its layout records of it. */
export interface Content {
  /** Contents of one name are judged together. */
  name: string;
  /** Bytes. */
  size: number;
  /** Base64; absent where it has none. */
  md5?: string;
}

/** Some contents in the order of their names, and where the next ones begin; `next` is undefined after the last. */
export interface ContentsPage {
  contents: Content[];
  next: string | undefined;
}

/** What the manifests say of some names. */
export interface Needs {
  /** Takes in what `needsOf` gave for one of the names. */
  take(line: string): void;
  /**
   * Which contents of one name no run needs that stays, in the order in which they are to be deleted.
   * @param runs ids of the runs that stay; `lingering` where activities of a run that was broken off may still be at work
   */
  superfluous(
    contents: readonly Content[],
    runs: { staying: ReadonlySet<string>; lingering: boolean },
  ): Content[];
}

/** Why a content was not deleted, for people. */
export interface NotDeleted {
  outcome: "skipped" | "failed";
  reason: string;
}

/** Deletes a blob, if the prune still holds its lock. @throws LockLost */
export type Erase = (blob: BlobClient, how?: BlobDeleteOptions) => Promise<void>;

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

  /**
   * Hands on what follows a position of a large content, in order, as much as one activity may fetch. The hash is the
   * caller's to keep, and at the end to check: see assertIntact.
   * @param span `from`, in bytes; `ms` until it ends
   * @returns the position that it came to, and where the content is now
   * @throws Lost; what `take` throws; errors of the account, retried already
   */
  fetchFrom(
    item: PlannedItem,
    budget: Budget,
    span: { from: number; ms: number },
    take: (bytes: Buffer, position: number) => Promise<void>,
  ): Promise<{ position: number; source: Source }>;

  /**
   * What items of a manifest need: for each a name and a line for the `Needs` of that name.
   * @param kept whether their run stays; of one that is forgotten it shows what is the product's
   */
  needsOf(items: readonly ManifestItem[], kept: boolean): Promise<{ name: string; line: string }[]>;
  /** Needs of which none are known yet. */
  noNeeds(): Needs;

  /** Lists all contents of the destination, a request a page. @param from `next` of a page, or undefined for the first */
  contents(from: string | undefined): AsyncIterable<ContentsPage>;
  /** What a line must be to stand for a content. */
  readonly contentLine: z.ZodType;
  /** What a content is and which run wrote it, for people. */
  whatIs(content: Content): string;
  /**
   * Deletes a content if it is still what was listed, or finds it deleted.
   * @returns undefined when it is gone
   * @throws DeleteRefused; what `erase` throws; errors of the account, retried already
   */
  delete(content: Content, means: { erase: Erase; budget: Budget }): Promise<NotDeleted | undefined>;
}

/** An item's content cannot be had, and trying again will not help; the message says why, for people. */
export class Lost extends Error {}

/** What was fetched is not what the run recorded. It may have been damaged on the way: fetching it again can help. */
export class Corrupt extends Lost {}

/** The account does not allow such deletes; the message says what to do, for people. */
export class DeleteRefused extends Error {}

/** @param md5 of what was fetched, in base64 @throws Corrupt */
export function assertIntact(item: Pick<ManifestItem, "md5">, md5: string): void {
  if (md5 === item.md5) return;
  throw new Corrupt(`corrupt: its content has the MD5 ${md5}, the run recorded ${item.md5}`);
}
