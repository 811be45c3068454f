/**
 * The order of a manifest: by directory, then by name, compared by JavaScript's `<` with `/` below every other character. So
 * the names of a directory are next to each other, and everything below it follows them directly.
 *
 * A path's key is a string that `<` compares: its directory with U+0001 between segments, U+0000, its name. U+0002 escapes
 * these characters in names.
 */
import { inTurns } from "./in-turns.ts";
import { nameOf, parentPath } from "./path.ts";

// eslint-disable-next-line no-control-regex -- they are what is looked for
const RESERVED = /[\0-\u0002]/g;
const BETWEEN = "\u0001";
const END = "\0";
const AFTER_BELOW = "\u0002";

/** The key of a path. */
export function keyOf(path: string): string {
  return directoryKey(parentPath(path)) + raise(nameOf(path));
}

/** Compares two keys, or names, as JavaScript's `<` does: for `sort`. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The last directory: most names follow another of the same directory. */
let last = { directory: "", key: END };

/** What the keys of a directory's names start with. */
export function directoryKey(directory: string): string {
  if (directory !== last.directory)
    // For replaceAll's result V8 keeps a tree with two nodes per segment; a joined string is flat.
    last = { directory, key: raise(directory).split("/").join(BETWEEN) + END };
  return last.key;
}

/** The keys from `from` on, up to but not including `to`. */
export interface KeyRange {
  from: string;
  /** Absent if there is no end. */
  to?: string;
}

/** The keys of a directory's own names. */
export function namesIn(directory: string): Required<KeyRange> {
  const from = directoryKey(directory);
  return { from, to: from.slice(0, -1) + BETWEEN };
}

/** The keys of everything below a directory. */
export function allBelow(directory: string): KeyRange {
  const from = directoryKey(directory);
  return directory === "" ? { from } : { from, to: from.slice(0, -1) + AFTER_BELOW };
}

/** The keys of a path, and of everything below it. */
export function allWithin(path: string): KeyRange[] {
  const key = keyOf(path);
  return path === "" ? [allBelow(path)] : [{ from: key, to: `${key}\0` }, allBelow(path)];
}

function raise(segments: string): string {
  if (segments.search(RESERVED) < 0) return segments;
  return segments.replaceAll(RESERVED, (character) => AFTER_BELOW + character);
}

/** The most characters in a fence: about 200 where each takes five. A blob's metadata may have 8 KiB. */
const LONGEST_FENCE = 1000;

/** A key in ASCII, for a blob's metadata. A key that is too long is replaced by a shorter one before it. */
export function lowerFence(key: string): string {
  let fence = "";
  for (let at = 0; at < key.length; at++) {
    const next = escapeUnit(key.charCodeAt(at));
    if (fence.length + next.length > LONGEST_FENCE) break;
    fence += next;
  }
  return fence;
}

/** The same, but a key that is too long is replaced by a shorter one after it. */
export function upperFence(key: string): string {
  let fence = lowerFence(key);
  let { length } = keyOfFence(fence);
  if (length === key.length) return fence;
  // The first key after all with the same beginning. It exists, for every key has a U+0000.
  do {
    const last = key.charCodeAt(--length);
    fence = lowerFence(key.slice(0, length)) + (last === 0xffff ? "" : escapeUnit(last + 1));
  } while (key.charCodeAt(length) === 0xffff || fence.length > LONGEST_FENCE);
  return fence;
}

function escapeUnit(code: number): string {
  if (code === BETWEEN.charCodeAt(0)) return "/";
  const character = String.fromCharCode(code);
  return /[!-.0-[\]-~]/.test(character) ? character : `\\${code.toString(16).padStart(4, "0")}`;
}

/** The key that a fence stands for. */
export function keyOfFence(fence: string): string {
  return fence
    .replaceAll("/", BETWEEN)
    .replaceAll(/\\([0-9a-f]{4})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Sorts lines into a manifest's order; also gives their keys. */
export async function inKeyOrder<T>(
  lines: readonly T[],
  placeOf: (line: T) => string,
): Promise<{ sorted: T[]; keys: string[] }> {
  const keyed = await inTurns(lines, (line) => ({ key: placeOf(line), line }));
  keyed.sort((a, b) => compareKeys(a.key, b.key));
  return { sorted: keyed.map(({ line }) => line), keys: keyed.map(({ key }) => key) };
}
