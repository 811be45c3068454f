import type { BlobClient, BlobDeleteOptions } from "@azure/storage-blob";
import type { z } from "zod";
import type { ManifestItem } from "../manifest/line.ts";
import type { Budget } from "../storage/budget.ts";

/** A content that a destination holds. A layout may add fields. */
export interface Content {
  /** Contents of one name are judged together. */
  name: string;
  size: number;
  /** Base64; absent if it has none. */
  md5?: string;
}

/** A page of contents, in the order of their names; `next` is undefined on the last page. */
export interface ContentsPage {
  contents: Content[];
  next: string | undefined;
}

/** What runs need of some names, according to their manifests. */
export interface Needs {
  /** Adds a line that `needsOf` returned for one of the names. */
  take(line: string): void;
  /**
   * The contents of one name that no remaining run needs, in the order in which to delete them.
   * @param runs ids of the runs that stay; `lingering` if activities of a terminated run may still be running
   */
  superfluous(
    contents: readonly Content[],
    runs: { staying: ReadonlySet<string>; lingering: boolean },
  ): Content[];
  /** Remaining contents of a name that later backups should not reuse. */
  sparse(contents: readonly Content[]): Sparse[];
}

/** A content of which little is still needed, all of it by runs that the next backups build on. */
export interface Sparse {
  content: Content;
  /** Bytes of it that are needed. */
  needed: number;
}

/** Which run a manifest belongs to. */
export interface Whose {
  /** The run is not forgotten. */
  kept: boolean;
  /** The next backup of its root builds on it. */
  newest?: true | undefined;
}

export interface NotDeleted {
  outcome: "skipped" | "failed";
  reason: string;
}

/** Deletes a blob, if the prune still holds its lock. @throws LockLost */
export type Erase = (blob: BlobClient, how?: BlobDeleteOptions) => Promise<void>;

/** What a prune does with a destination. */
export interface Pruning {
  /**
   * What items of a manifest need: for each, a name and a line for the `Needs` of that name.
   * @param whose the items of a forgotten run only show which contents are the product's
   * @throws Lost if it cannot be known what a run that stays needs; storage errors, after retries
   */
  needsOf(
    items: readonly ManifestItem[],
    whose: Whose,
    budget: Budget,
  ): Promise<{ name: string; line: string }[]>;
  /** Empty needs, to add lines to. */
  noNeeds(): Needs;

  /** Lists all contents, one request a page. @param from `next` of a page, or undefined for the first */
  contents(from: string | undefined): AsyncIterable<ContentsPage>;
  /** The schema of a content in a list. */
  readonly contentLine: z.ZodType;
  /** Whether a content is a piece of others: it is deleted only after all that are not. */
  isPiece(content: Content): boolean;
  /** What a content is and which run wrote it, as a message. */
  whatIs(content: Content): string;
  /**
   * Deletes a content if it is still what was listed.
   * @returns undefined if it is gone, also if it was gone before
   * @throws DeleteRefused; what `erase` throws; storage errors, after retries
   */
  delete(content: Content, means: { erase: Erase; budget: Budget }): Promise<NotDeleted | undefined>;
  /**
   * Makes later backups store anew what is needed of sparse contents, so that these can be deleted some day, and drops its
   * notes on deleted contents. Idempotent.
   * @returns the contents that really are sparse
   */
  settle(found: { sparse: readonly Sparse[]; gone: readonly Content[] }, dryRun: boolean): Promise<Content[]>;
}

/** The account does not allow such deletes; the message says what to do. */
export class DeleteRefused extends Error {}
