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

/** A destination: a container and a prefix in it. */
export interface Place {
  container: string;
  prefix: string;
}

/** The run that stores contents, and its root. */
export interface Writer {
  run: string;
  /** As the request names it. */
  root: string;
  basis: Basis;
}

/** How a backup compares its files with the destination. */
export interface Comparing {
  mode: BackupMode;
  checksum: boolean;
}

/** A part of the tree: the directories that it begins with, and how many files it may look at. */
export interface Compared {
  tops: readonly string[];
  files: number;
}

/** Compares one part of the tree with the destination. */
export interface Comparison {
  /** A hint that the files of a directory are compared soon, so that its listing can begin. @param path of one of them */
  expect(path: string): void;
  /**
   * @param outcomes gets the entries that need no copy: an incremental run's unchanged files
   * @returns the entries that need one, with what `put` and `send` need to know of the destination
   * @throws storage errors, after retries
   */
  settle(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]>;
}

/** A content that is in memory. */
export interface InMemory {
  content: Buffer;
  attributes: Attributes;
  /** Base64, if known. */
  md5?: string;
}

/**
 * Stores the content of one entry, unless it is there already, and returns its outcome. If another attempt of the run came
 * first, that one's content and outcome stand.
 */
export interface Put {
  /** Stores the target of a link, or nothing for an empty directory. @throws NotStored; storage errors, after retries */
  content(content: InMemory): Promise<Outcome>;
  /** @throws ChangedWhileReading, SendAgain: a try from the start may succeed; NotStored; storage errors, after retries */
  file(file: OpenFile): Promise<Outcome>;
}

/** How far a large file is stored: what one activity passes on to the next. A layout may add fields. */
export interface Sent {
  /** Bytes done. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
}

/** A try at a large file, done in spans. */
export interface Upload {
  /** Identifies the try and the version of the file: everything sent under one name is one content. */
  attempt: readonly unknown[];
  /** Absent for the first span. */
  sent?: Sent;
  /** When to end the span, by `performance.now()`. */
  until: number;
}

/** Where an item's content is, or why it is lost, as a message. */
export type Found = { source: Source } | { lost: string };

/** Receives a content in order, each byte once. The buffer may be reused once the promise settles. */
export type Take = (bytes: Buffer, position: number) => Promise<void>;

/**
 * Reads a content, and checks its hash at the end; until then the bytes may be wrong. A second call fetches it again.
 * @throws Lost, Corrupt; what `take` throws; storage errors, after retries
 */
export type Read = (take: Take) => Promise<void>;

/** How far a large content is read: what one activity passes on to the next. */
export interface Reached {
  /** Bytes read. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
  /** Where the content is now, if it has moved since the plan. */
  source?: Source;
}

/** A content that a destination holds. A layout may add fields. */
export interface Content {
  /** Contents of one name are judged together. */
  name: string;
  /** Bytes. */
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
   * @param runs ids of the runs that stay; `lingering` if activities of a run that was broken off may still be at work
   */
  superfluous(
    contents: readonly Content[],
    runs: { staying: ReadonlySet<string>; lingering: boolean },
  ): Content[];
}

export interface NotDeleted {
  outcome: "skipped" | "failed";
  reason: string;
}

/** Deletes a blob, if the prune still holds its lock. @throws LockLost */
export type Erase = (blob: BlobClient, how?: BlobDeleteOptions) => Promise<void>;

/**
 * How a destination keeps contents. Backup, restore, verify and prune know nothing else of it; blob names, metadata,
 * snapshots and versions belong to the layout behind it. Any call may be repeated, even concurrently on another machine.
 */
export interface Store {
  /** Why a content of this path cannot be kept, as a message; undefined if it can. */
  whyNot(path: string): string | undefined;

  /** The name of a path in the destination. Of files with the same name, only one can be kept. */
  nameOf(path: string): string;

  /**
   * Looks at the destination before a backup begins, and creates its container if it is missing.
   * @param versioned whether the ledger's account keeps versions
   */
  begin(request: { keepVersions: boolean }, versioned: boolean): Promise<Basis>;

  /** Compares a part of the tree with the destination, by list calls, not by a request for each file. */
  compare(writer: Writer, how: Comparing, part: Compared): Comparison;

  /**
   * Calls `work` for each entry of a batch, with a `put` that stores its content. The layout decides how many run at a time.
   * Contents are sure to be stored only when the returned promise has resolved.
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
   * Reads and stores the next span of a large file, for a bounded time; the last span makes it a content, unless that is there
   * already. Idempotent.
   * @returns how far it got, or the outcome at the end
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
   * Finds the content of each item of a manifest, by list calls; the more items at a time, the fewer calls. An item whose
   * content is missing is not an error.
   * @throws storage errors, after retries
   */
  find(items: readonly ManifestItem[]): Promise<Map<ManifestItem, Found>>;

  /**
   * Calls `work` for each item of a batch, with a `read` that fetches its content; without a read nothing is fetched. The
   * layout decides the order and how many run at a time. A content that has moved since it was found is found again.
   * @returns the outcomes, in no order
   * @throws the first error that `work` throws; the other items are left for the next try
   */
  fetch(
    items: readonly PlannedItem[],
    budget: Budget,
    work: (item: PlannedItem, read: Read) => Promise<Outcome>,
  ): Promise<Outcome[]>;

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
   * What items of a manifest need: for each, a name and a line for the `Needs` of that name.
   * @param kept whether their run stays; the items of a forgotten run only show which contents are the product's
   */
  needsOf(items: readonly ManifestItem[], kept: boolean): Promise<{ name: string; line: string }[]>;
  /** Empty needs, to add lines to. */
  noNeeds(): Needs;

  /** Lists all contents, one request a page. @param from `next` of a page, or undefined for the first */
  contents(from: string | undefined): AsyncIterable<ContentsPage>;
  /** The schema of a content in a list. */
  readonly contentLine: z.ZodType;
  /** What a content is and which run wrote it, as a message. */
  whatIs(content: Content): string;
  /**
   * Deletes a content if it is still what was listed.
   * @returns undefined if it is gone, also if it was gone before
   * @throws DeleteRefused; what `erase` throws; storage errors, after retries
   */
  delete(content: Content, means: { erase: Erase; budget: Budget }): Promise<NotDeleted | undefined>;
}

/** The content of an entry cannot be stored; the message says why. */
export class NotStored extends Error {}

/** Another writer interfered with storing a file; a try from the start may succeed. */
export class SendAgain extends NotStored {}

/** An item's content cannot be read, and trying again will not help; the message says why. */
export class Lost extends Error {}

/** The fetched content is not what the run recorded. It may have been damaged on the way, so fetching it again may help. */
export class Corrupt extends Lost {}

/** The account does not allow such deletes; the message says what to do. */
export class DeleteRefused extends Error {}
