import { z } from "zod";
import { directoryLine, placeOf, type DirectoryLine } from "../ledger/directories.ts";
import { LONGEST_LINE } from "../ledger/read-blob.ts";
import { fileSize, mode, mtime } from "../ledger/schemas.ts";
import { hashOf, recordedOf } from "../model/content.ts";
import { FARTHEST_TIME, type Entry, type EntryKind } from "../model/entry.ts";
import { keyOf } from "../model/order.ts";
import { OUTCOMES, type OutcomeName } from "../model/outcome.ts";
import { isPacked, type Packed } from "../model/packed.ts";

/** What a run says of one name in its tree. */
export interface ManifestEntry {
  /** Relative to the root; see model/path.ts. */
  path: string;
  kind: EntryKind | "other";
  /** Absent for a directory that is not empty: its names have outcomes of their own. */
  outcome?: OutcomeName;
  /** Bytes of content in the backup; 0 unless copied or unchanged. */
  size: number;
  /** Microseconds since 1970; absent if the run does not say. */
  mtime?: number;
  /** Permission bits; absent if the run does not say. */
  mode?: number;
  /** ctime, likewise; absent in records of older releases. */
  ctime?: number;
  /** Base64 of the content's MD5, of the target for a link; absent unless copied or unchanged in the layout `files`. */
  md5?: string;
  /** Where the content is; absent unless copied or unchanged in the layout `packs`. */
  packed?: Packed;
  /** What a link points to, as a path; absent if the run does not say. */
  target?: string;
  /** See Outcome; absent in records of older releases. */
  etag?: string;
  /** Why it was skipped or failed, or what else there is to say. */
  reason?: string;
}

/** An entry whose content is in the backup: a file's bytes, a link's target, or nothing for an empty directory. */
export interface ManifestItem extends Entry {
  /** Base64 of the content's MD5, in the layout `files`. */
  md5?: string;
  /** Where the content is, in the layout `packs`. */
  packed?: Packed;
}

/** An entry as such an item; undefined where it is none. */
export function itemOf({
  path,
  kind,
  size,
  mtime,
  mode,
  outcome,
  ...content
}: ManifestEntry): ManifestItem | undefined {
  const isThere = outcome === "copied" || outcome === "unchanged";
  if (!isThere || kind === "other" || mtime === undefined || mode === undefined) return undefined;
  if (hashOf(content) === undefined) return undefined;
  return { path, kind, size, mtime, mode, ...recordedOf(content) };
}

/** An entry and its place in the order. */
export interface Line {
  key: string;
  entry: ManifestEntry;
  /** About a directory, in the record of the part that was given it; see DirectoryLine. */
  own?: true;
}

const head = z.object({
  path: z.string().max(32_767),
  outcome: z.enum(OUTCOMES),
  kind: z.enum(["file", "link", "directory", "other"]).catch("other"),
  size: fileSize.catch(0),
  mtime: mtime.optional().catch(undefined),
  mode: mode.optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
});
const MD5 = /^[A-Za-z0-9+/]{22}==$/;
const ETAG = /^[!-~]{1,64}$/;

/** A line that has content, as nearly all have: checked by hand, for a schema takes ten times as long. */
function contentOf(line: unknown): ManifestEntry | undefined {
  const { path, outcome, kind, size, mtime, mode, md5, packed, ctime, etag, target, reason } = Object(
    line,
  ) as Partial<Record<keyof ManifestEntry, unknown>>;
  const place = isPacked(packed) ? packed : undefined;
  const isWhole =
    (outcome === "copied" || outcome === "unchanged") &&
    isText(path, 4096) &&
    path !== "" &&
    (kind === "file" || kind === "link" || kind === "directory") &&
    isInteger(size, 0, Infinity) &&
    isTime(mtime) &&
    isInteger(mode, 0, 0o7777) &&
    (place !== undefined || (typeof md5 === "string" && MD5.test(md5)));
  if (!isWhole) return undefined;
  return {
    path,
    outcome,
    kind,
    size,
    mtime,
    mode,
    ...(place ? { packed: place } : { md5: String(md5) }),
    ...(isTime(ctime) ? { ctime } : {}),
    ...(typeof etag === "string" && ETAG.test(etag) ? { etag } : {}),
    ...(isText(target, 32_767) ? { target } : {}),
    ...(isText(reason, LONGEST_LINE) ? { reason } : {}),
  };
}

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length <= most;
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function isTime(value: unknown): value is number {
  return isInteger(value, -FARTHEST_TIME, FARTHEST_TIME);
}

/** Parses a line of a record of outcomes or directories. @returns a string that says what is wrong with a damaged line */
export function parseLine(json: string): Line | string {
  if (json.length > LONGEST_LINE) return `has more than ${LONGEST_LINE} characters`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return "is torn";
  }
  const entry = contentOf(value);
  if (entry) return { key: keyOf(entry.path), entry };
  const read = head.safeParse(value);
  if (!read.success) return parseDirectory(value);
  const { path, outcome } = read.data;
  if (outcome !== "copied" && outcome !== "unchanged") return { key: keyOf(path), entry: read.data };
  return `does not say enough of ${JSON.stringify(path.slice(0, 300))}`;
}

function parseDirectory(value: unknown): Line | string {
  const isOutcome = z.object({ outcome: z.unknown() }).safeParse(value).success;
  const read = isOutcome ? undefined : directoryLine.safeParse(value);
  if (!read?.success) return "is not an outcome that this version of the app knows";
  return lineOfDirectory(read.data);
}

export function lineOfDirectory(line: DirectoryLine): Line {
  const { own, left: _left, ...said } = line;
  const entry: ManifestEntry = { ...said, kind: "directory", size: 0 };
  return { key: placeOf(line), entry, ...(own || line.path === "" ? { own: true } : {}) };
}

/** Combines two lines about one name: an outcome with content counts most, then any other outcome. */
export function combine(one: Line, other: Line): Line {
  const [more, less] = weightOf(one) >= weightOf(other) ? [one, other] : [other, one];
  if (more.entry.kind !== "directory" || less.entry.kind !== "directory") return more;
  return { ...more, entry: { ...less.entry, ...more.entry } };
}

function weightOf({ entry: { outcome, mtime: time } }: Line): number {
  if (outcome === undefined) return time === undefined ? 0 : 1;
  return outcome === "copied" || outcome === "unchanged" ? 3 : 2;
}
