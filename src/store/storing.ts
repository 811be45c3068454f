import type { HashName } from "../files/asks.ts";
import type { OpenFile } from "../files/read-file.ts";
import type { BatchCost } from "../ledger/cut.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Basis, Covered } from "../ledger/listing.ts";
import type { BatchRef, LargeRef } from "../ledger/part-record.ts";
import type { ComparedWith } from "../ledger/run-record.ts";
import type { Attributes, Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import type { BackupMode, CompareWith } from "../model/request-fields.ts";
import type { Budget } from "../storage/budget.ts";
import { classify, describe } from "../storage/errors.ts";

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
  compare(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]>;
  /** Once it is settled: why the destination was listed, though a run's record was to be compared with. */
  readonly because?: string | undefined;
}

/** A content that is in memory. */
export interface InMemory {
  /** Must not change until `Put.content` has resolved; its memory may be reused after that. */
  content: Buffer;
  attributes: Attributes;
  /** Base64, if known: what `Put.hash` names. */
  hash?: string;
}

/**
 * Stores the content of one entry, unless it is there already, and returns its outcome. If another attempt of the run came
 * first, that one's content and outcome stand.
 */
export interface Put {
  /** Which hash to compute of a content in memory. */
  readonly hash: HashName;

  /**
   * Stores a content that is in memory: a small file's, a link's target, or nothing for an empty directory.
   * @throws NotStored; storage errors, after retries
   */
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

/** What a backup requests of a destination. */
export interface Wanted extends Covered {
  keepVersions: boolean;
  mode: BackupMode;
  compareWith: CompareWith;
}

/** What a backup does with a destination. */
export interface Storing {
  /** What a file's copying costs, by which a part is cut into batches. */
  readonly cost: BatchCost;

  /** Why a content of this path cannot be kept, as a message; undefined if it can. */
  whyNot(path: string): string | undefined;

  /** The name of a path in the destination. Of files with the same name, only one can be kept. */
  nameOf(path: string): string;

  /**
   * Looks at the destination before a backup begins, decides what it is compared with, and creates its container if it is
   * missing.
   * @param versioned whether the ledger's account keeps versions
   * @returns `comparedWith` for the run's record, if it should say that
   * @throws PartProblem
   */
  begin(
    request: Wanted,
    ledger: Ledger,
    versioned: boolean,
  ): Promise<{ basis: Basis; comparedWith?: ComparedWith }>;

  /** Compares a part of the tree with the destination, by list calls, not by a request for each file. */
  compare(writer: Writer, how: Comparing, part: Compared): Comparison;

  /**
   * Calls `work` for each entry of a batch, with a `put` that stores its content. The layout decides the concurrency.
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
    writer: Writer & LargeRef,
    entry: Entry,
    file: OpenFile,
    upload: Upload,
    budget: Budget,
  ): Promise<{ sent: Sent } | { outcome: Outcome }>;
}

/** The content of an entry cannot be stored; the message says why. */
export class NotStored extends Error {}

/** Another writer interfered with storing a file; a try from the start may succeed. */
export class SendAgain extends NotStored {}

/** Turns what the service refuses for one blob into NotStored. @throws any other error */
export async function orNotStored<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!["invalid", "conflict", "held"].includes(classify(error))) throw error;
    throw new NotStored(describe(error), { cause: error });
  }
}
