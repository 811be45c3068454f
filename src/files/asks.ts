import type { Name } from "./pinned-directory.ts";

/** The thread reads and writes files up to this size. For larger ones the hand-over hardly matters. */
export const QUICK_SIZE = 64 * 1024;

/** The hash that a layout identifies contents by. */
export type HashName = "md5" | "sha256";

/** Names to look up. Paths are relative to the root, with `/` between segments. */
interface LookAsk {
  what: "look";
  realRoot: string;
  paths: string[];
}

/** Directories to read. */
interface ListAsk {
  what: "list";
  realRoot: string;
  paths: string[];
}

/** A file to read into memory of its size. */
export interface ReadAsk {
  what: "read";
  realRoot: string;
  path: string;
  into: Uint8Array<SharedArrayBuffer>;
  hash: HashName;
}

/** Writes a file beside its place. */
interface WriteAsk extends NewFile {
  what: "write";
  realRoot: string;
  path: string;
}

/** Renames a file into its place. */
interface PlaceAsk extends Written {
  what: "place";
  realRoot: string;
  path: string;
}

/** File operations for the thread. */
export type Ask = LookAsk | ListAsk | ReadAsk | WriteAsk | PlaceAsk;

/** A file to write beside its place, in a directory that is there. */
export interface NewFile {
  /** Its name while it is not in its place. */
  temporary: string;
  content: Uint8Array<SharedArrayBuffer>;
  mode: number;
  /** Seconds since 1970. */
  mtime: number;
  /** The device that its directory must be on, as in stats. */
  device: number;
}

/** A file to rename into its place. */
export interface Written {
  temporary: string;
  /** Whether to replace an existing file. */
  replace: boolean;
}

/** A regular file, found by name. */
export interface Looked {
  size: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
  ctimeMs: number;
  /** As the file system returns it, including the bits for the type. */
  mode: number;
}

/** A directory that was read: what it is, and its names. */
export interface Listed {
  stats: Looked & { dev: number; ino: number };
  names: Name[];
}

/** A regular file that was read whole and did not change meanwhile. */
export interface ReadWhole extends Looked {
  /** Base64. */
  hash: string;
}

/**
 * The result of an ask; true if a file was written or renamed. Undefined if anything is unusual: the caller then does it the
 * ordinary way, and gets the error.
 */
export type Answer<A extends Ask = Ask> = A extends LookAsk
  ? (Looked | undefined)[]
  : A extends ListAsk
    ? (Listed | undefined)[]
    : A extends ReadAsk
      ? ReadWhole | undefined
      : true | undefined;

/** The thread's answers to one message, in the same order. */
export interface Answers {
  answers: Answer[];
  /** Time by kind of operation: a directory takes longer than a name. */
  spent: Partial<Record<Ask["what"], Spent>>;
}

/** How many operations, and their total time. */
export interface Spent {
  count: number;
  ms: number;
}

/** The number of operations in an ask. */
export function operations(ask: Ask): number {
  return "paths" in ask ? ask.paths.length : 1;
}

/** Executes an ask, and records how long that took. */
export function timed(ask: Ask, spent: Answers["spent"], work: () => Answer): Answer {
  const begin = performance.now();
  const answer = work();
  const sum = (spent[ask.what] ??= { count: 0, ms: 0 });
  sum.count += operations(ask);
  sum.ms += performance.now() - begin;
  return answer;
}
