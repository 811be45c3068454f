import type { BlobClient, BlobDeleteOptions } from "@azure/storage-blob";
import type { z } from "zod";
import type { OpenFile } from "../files/read-file.ts";
import type { Basis } from "../ledger/listing.ts";
import type { BatchRef } from "../ledger/parts.ts";
import type { BackupMode } from "../model/request-fields.ts";
import type { ManifestItem } from "../manifest/line.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import type { Attributes, Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Source } from "../model/source.ts";
import type { Budget } from "../storage/budget.ts";

/** A destination: a container, and what in it lies below a prefix. */
export interface Place {
  container: string;
  prefix: string;
}

/** The run that stores contents, and of which root. */
export interface Writer {
  run: string;
  /** As the request names it. */
  root: string;
  basis: Basis;
}

/** How a backup compares its files with what is there. */
export interface Comparing {
  mode: BackupMode;
  checksum: boolean;
}

/** A part of the tree: the directories that it begins with, and how many files it may look at. */
export interface Compared {
  tops: readonly string[];
  files: number;
}

/** Compares one part of the tree with what is there. */
export interface Comparison {
  /** Says that files of a directory are compared soon: it can be asked for meanwhile. @param path of one of them */
  expect(path: string): void;
  /**
   * @param outcomes gets the entries that need no copy: an incremental run's unchanged files
   * @returns the entries that need one, with what `put` and `send` have to know of what is there
   * @throws errors of the account, retried already
   */
  settle(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]>;
}

/** A content that is in memory. */
export interface InMemory {
  content: Buffer;
  attributes: Attributes;
  /** Base64, where it is known. */
  md5?: string;
}

/**
 * Stores the content of one entry, unless it is there already, and gives its outcome. Where another attempt of the run came
 * first, that one's content stands, and the outcome is its.
 */
export interface Put {
  /** The target of a link, or nothing for an empty directory. @throws NotStored; errors of the account, retried already */
  content(content: InMemory): Promise<Outcome>;
  /** @throws ChangedWhileReading, SendAgain: from the start it may succeed; NotStored; errors of the account, retried already */
  file(file: OpenFile): Promise<Outcome>;
}

/** How far a large file is stored, and what else its layout has to know: what one activity hands to the next. */
export interface Sent {
  /** Bytes before it are done. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
}

/** A try at a large file, done in spans. */
export interface Upload {
  /** Names the try, and the version of the file: all that is sent under one name is one content. */
  attempt: readonly unknown[];
  /** Absent for the first span. */
  sent?: Sent;
  /** Ends the span, by `performance.now()`. */
  until: number;
}

/** Where an item's content is, or why it is not there, for people. */
export type Found = { source: Source } | { lost: string };

/** Is given a content in order, each byte once. The bytes are the taker's until its promise settles. */
export type Take = (bytes: Buffer, position: number) => Promise<void>;

/**
 * Reads a content, and checks its hash at the end: until then it may be another one. Called again it fetches it again.
 * @throws Lost, Corrupt; what `take` throws; errors of the account, retried already
 */
export type Read = (take: Take) => Promise<void>;

/** How far a large content is read: what one activity hands to the next. */
export interface Reached {
  /** Bytes before it are read. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
  /** Where the content is now, when that is not where the plan found it. */
  source?: Source;
}

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

  /** The name of a path in the destination: of files with the same one only one can be kept. */
  nameOf(path: string): string;

  /**
   * Looks at the destination before a backup begins, and makes its container where that is missing.
   * @param versioned whether the account of the ledgers keeps versions
   */
  begin(request: { keepVersions: boolean }, versioned: boolean): Promise<Basis>;

  /** Compares a part of the tree with what is there. Costs list calls, none for each file. */
  compare(writer: Writer, how: Comparing, part: Compared): Comparison;

  /**
   * Does something with each entry of a batch, `put` storing its content. As many at a time as suits where they go. What was
   * put is stored for certain when the whole has ended.
   * @returns the outcomes, in no order
   * @throws the first error that `work` throws; the other entries are left for the next try
   */
  put(
    batch: Writer & BatchRef,
    entries: readonly Entry[],
    budget: Budget,
    work: (entry: Entry, put: Put) => Promise<Outcome>,
  ): Promise<Outcome[]>;

  /**
   * Reads on in a large file and stores what it reads, for a bounded time; at the end makes a content of it, unless that is
   * there already. Delivered twice it stores the same twice.
   * @returns how far it is, or the outcome at the end
   * @throws as `Put.file` does
   */
  send(
    writer: Writer,
    entry: Entry,
    file: OpenFile,
    upload: Upload,
    budget: Budget,
  ): Promise<{ sent: Sent } | { outcome: Outcome }>;

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
   * Reads on in a large content, for a bounded time.
   * @param until ends the span, by `performance.now()`
   * @returns how far it came; undefined at the end, when the hash is right
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

/** The content of an entry cannot be stored; the message says why, for people. */
export class NotStored extends Error {}

/** Others disturbed the storing of a file: sent again from the start it may succeed. */
export class SendAgain extends NotStored {}

/** An item's content cannot be had, and trying again will not help; the message says why, for people. */
export class Lost extends Error {}

/** What was fetched is not what the run recorded. It may have been damaged on the way: fetching it again can help. */
export class Corrupt extends Lost {}

/** The account does not allow such deletes; the message says what to do, for people. */
export class DeleteRefused extends Error {}
