/**
 * The order of a manifest: by directory, then by name, both as JavaScript's `<` has it, with `/` below every other character.
 * So the names of a directory stand together, and all that is below it stands together, right after them.
 *
 * A path's place is a key, a string that `<` compares: the directory with U+0001 between its segments, U+0000, the name. What
 * of these characters is in a name comes after U+0002.
 */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const RESERVED = /[\0-\u0002]/g;
const BETWEEN = "\u0001";
const END = "\0";
const AFTER_BELOW = "\u0002";

/** Where a path stands. */
export function keyOf(path: string): string {
  const end = path.lastIndexOf("/");
  return directoryKey(path.slice(0, Math.max(0, end))) + raise(path.slice(end + 1));
}

/** Where the names of a directory begin: each of their keys begins with this. */
export function directoryKey(directory: string): string {
  return raise(directory).replaceAll("/", BETWEEN) + END;
}

/** Keys from the first one on and before the second. */
export interface KeyRange {
  from: string;
  /** Absent where there is no end. */
  to?: string;
}

/** Where a directory's own names stand. */
export function namesIn(directory: string): KeyRange {
  const from = directoryKey(directory);
  return { from, to: from.slice(0, -1) + BETWEEN };
}

/** Where all stands that is below a directory. */
export function allBelow(directory: string): KeyRange {
  const from = directoryKey(directory);
  return directory === "" ? { from } : { from, to: from.slice(0, -1) + AFTER_BELOW };
}

function raise(segments: string): string {
  return segments.replaceAll(RESERVED, (character) => AFTER_BELOW + character);
}

/** Characters that a fence has at most. */
const LONGEST_FENCE = 256;

/** A key in ASCII, as a blob's metadata take it; one that is too long becomes one that comes before it. */
export function lowerFence(key: string): string {
  let fence = "";
  for (let at = 0; at < key.length; at++) {
    const next = escapeUnit(key.charCodeAt(at));
    if (fence.length + next.length > LONGEST_FENCE) break;
    fence += next;
  }
  return fence;
}

/** The same; one that is too long becomes one that comes after it. */
export function upperFence(key: string): string {
  let fence = lowerFence(key);
  let { length } = keyOfFence(fence);
  if (length === key.length) return fence;
  // The first key after all that begin alike. The U+0000 that each key has can be counted up, at the latest.
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
