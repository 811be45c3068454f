import type { Held } from "./held.ts";
import type { Packed } from "./packed.ts";

/**
 * The time farthest from 1970 that a Date can hold, in microseconds: 275,760 years. Some file systems can hold more.
 */
export const FARTHEST_TIME = 8.64e18;

/** The type of a name in the tree. */
export type EntryKind = "file" | "link" | "directory";

/** What a destination blob was when it was listed: what it takes to overwrite exactly that one. */
export interface Existing {
  etag: string;
  /** Base64 of the content's MD5; absent if the blob has none. */
  md5?: string | undefined;
  /** Why it could not be overwritten when it was listed. */
  held?: Held | undefined;
  /** Its metadata names another path, which may still be in the tree. */
  ofAnother?: boolean;
  /** What its metadata says, and its bytes; only if contents are to be compared. */
  kind?: EntryKind;
  size?: number;
  /** Its metadata is out of date: if the content is the same, only the metadata is written again. */
  stale?: true;
}

/** A name in the tree that is to be copied; a line of a run's list. */
export interface Entry {
  /** Relative to the root, with `/` between segments. */
  path: string;
  kind: EntryKind;
  /** Bytes when it was listed; 0 for links and directories. */
  size: number;
  /** Modification time, in microseconds since 1970. */
  mtime: number;
  /** ctime, in microseconds since 1970; absent if not known. */
  ctime?: number;
  /** Permission bits. */
  mode: number;
  /** The blob that is already there; absent if there is none. */
  existing?: Existing;
  /** What an earlier run stored under this name, in the layout `packs`; absent if there is nothing to build on. */
  before?: Packed;
  /** It looks as it did when an earlier run stored it, in a pack that cannot be built on any more. */
  again?: true;
}

/** What is kept of a file besides its content. */
export type Attributes = Required<Pick<Entry, "mtime" | "ctime" | "mode">>;

export function attributesOf(stats: { mtimeMs: number; ctimeMs: number; mode: number }): Attributes {
  return { mtime: mtimeOf(stats), ctime: ctimeOf(stats), mode: modeOf(stats) };
}

/**
 * The modification time in whole microseconds, the finest that a JavaScript number can hold; before 1684 and after
 * 2255 precise to a few of them. A time beyond a Date's range counts as the farthest.
 */
export function mtimeOf(stats: { mtimeMs: number }): number {
  return toMicroseconds(stats.mtimeMs);
}

/** The same for ctime, which no archive or deployment sets back. */
function ctimeOf(stats: { ctimeMs: number }): number {
  return toMicroseconds(stats.ctimeMs);
}

function toMicroseconds(milliseconds: number): number {
  // Not -0, which JSON does not keep.
  const microseconds = Math.round(milliseconds * 1000) || 0;
  return Math.max(-FARTHEST_TIME, Math.min(microseconds, FARTHEST_TIME));
}

/** The permission bits of a mode. */
export function modeOf(stats: { mode: number }): number {
  return stats.mode & 0o7777;
}

/**
 * A time in microseconds since 1970 as RFC 3339 with six digits, as rclone reads `mtime`:
 * 2026-11-23T14:29:11.725398Z. A year that RFC 3339 cannot express is written as in JavaScript's dates: +012026-….
 */
export function formatMtime(microseconds: number): string {
  // Exact; dividing a number this large is not.
  const exact = BigInt(microseconds);
  const rest = ((exact % 1000n) + 1000n) % 1000n;
  const milliseconds = Number((exact - rest) / 1000n);
  return new Date(milliseconds).toISOString().replace("Z", `${String(rest).padStart(3, "0")}Z`);
}

/** Reads what `formatMtime` wrote. */
export function parseMtime(text = ""): number | undefined {
  const [, toMilliseconds, rest] = /^(.*\.\d{3})(\d{3})Z$/.exec(text) ?? [];
  const milliseconds = Date.parse(`${toMilliseconds}Z`);
  return Number.isNaN(milliseconds) ? undefined : Number(BigInt(milliseconds) * 1000n + BigInt(rest ?? 0));
}
