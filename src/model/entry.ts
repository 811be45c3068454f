import type { Held } from "./held.ts";

/** What a name in the tree stands for. */
export type EntryKind = "file" | "link" | "directory";

/** What a destination blob was when it was listed: what it would take to overwrite exactly it. */
export interface Existing {
  etag: string;
  /** Base64 of the content's MD5; absent where the blob has none. */
  md5?: string | undefined;
  /** What kept it from being written over when it was listed. */
  held?: Held | undefined;
  /** By its mark it is of another path, which may still be in the tree. */
  ofAnother?: boolean;
  /** What its marks say it is, and its bytes; only where contents are to be compared. */
  kind?: EntryKind;
  size?: number;
  /** Its marks are out of date: where the content is the same, they are written anew. */
  stale?: true;
}

/**
 * The MD5 that an entry's content must have to be unchanged; undefined where the blob is of another kind or size, or has
 * none.
 * @param size of the content, in bytes
 */
export function md5ToMatch({ kind, existing }: Entry, size: number): string | undefined {
  return existing?.kind === kind && existing.size === size ? existing.md5 : undefined;
}

/** One name in the tree that is to be copied; a line of a run's list. */
export interface Entry {
  /** Relative to the root, with `/` between segments. */
  path: string;
  kind: EntryKind;
  /** Bytes when it was listed; 0 for links and directories. */
  size: number;
  /** Time of last change, in microseconds since 1970. */
  mtime: number;
  /** Time of last change of the file or of what is known about it, in microseconds since 1970; absent where not known. */
  ctime?: number;
  /** Permission bits. */
  mode: number;
  /** The blob that is there already; absent where there is none. */
  existing?: Existing;
}

/** What is kept of a file beside its content. */
export type Attributes = Required<Pick<Entry, "mtime" | "ctime" | "mode">>;

export function attributesOf(stats: { mtimeMs: number; ctimeMs: number; mode: number }): Attributes {
  return { mtime: mtimeOf(stats), ctime: ctimeOf(stats), mode: modeOf(stats) };
}

/** The time farthest from 1970 that a Date holds, in microseconds: 275,760 years. Some file systems hold more. */
export const FARTHEST_TIME = 8.64e18;

/**
 * The time of last change in whole microseconds, the finest that a JavaScript number holds; before 1684 and after 2255
 * to a few of them. What is farther than a Date reaches counts as the farthest.
 */
export function mtimeOf(stats: { mtimeMs: number }): number {
  return toMicroseconds(stats.mtimeMs);
}

/** The same of the time that the file system itself keeps, which no archive or deployment sets back. */
export function ctimeOf(stats: { ctimeMs: number }): number {
  return toMicroseconds(stats.ctimeMs);
}

function toMicroseconds(milliseconds: number): number {
  // Not -0, which JSON would not keep.
  const microseconds = Math.round(milliseconds * 1000) || 0;
  return Math.max(-FARTHEST_TIME, Math.min(microseconds, FARTHEST_TIME));
}

/** The permission bits of a mode. */
export function modeOf(stats: { mode: number }): number {
  return stats.mode & 0o7777;
}
