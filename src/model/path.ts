/**
 * A path is a string in which a byte that is not part of valid UTF-8 stands as one of U+DC80 to U+DCFF (Python's
 * surrogateescape, PEP 383). In memory, in the ledger and in answers it has this one form. Nothing else decodes a name.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";

const ESCAPED_BYTE = /[\udc80-\udcff]/;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The path or name for these bytes of a file system. */
export function fromBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? String.fromCharCode(0xdc00 + bytes[at]!) : bytes.toString("utf8", at, at + length);
    at += length || 1;
  }
  return text;
}

/**
 * The bytes of a path, for the disk and for hashes.
 * @throws RangeError for a surrogate that stands for no byte: no directory has such a name
 */
export function toBytes(path: string): Buffer {
  if (path.isWellFormed()) return Buffer.from(path);
  const pieces: Buffer[] = [];
  // By code points, so that half of a pair is not mistaken for a byte.
  for (const character of path) {
    if (character.isWellFormed()) pieces.push(Buffer.from(character));
    else if (ESCAPED_BYTE.test(character)) pieces.push(Buffer.of(character.charCodeAt(0) - 0xdc00));
    else throw new RangeError("the name has a surrogate that stands for no byte");
  }
  return Buffer.concat(pieces);
}

/** A path as file system calls take it. */
export type DiskPath = string | Buffer;

/**
 * The path for a file system call. Text that is not well-formed goes as bytes: Node would encode it as another name.
 */
export function forDisk(path: string): DiskPath {
  return path.isWellFormed() ? path : toBytes(path);
}

/** Whether a text from elsewhere is a path in its one form: what `fromBytes` returns for some bytes. */
export function isPath(text: string): boolean {
  if (text.isWellFormed()) return true;
  try {
    return fromBytes(toBytes(text)) === text;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * Identifies a path in a blob's metadata, which could not hold it: 22 characters, 132 bits of the SHA-256 of its
 * bytes.
 */
export function pathMark(path: string): string {
  return createHash("sha256").update(toBytes(path)).digest("base64url").slice(0, 22);
}

/** Control characters, line and paragraph separators, bidirectional marks, and lone surrogates. */
export const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A text as a terminal or a log may show it: bytes that are not UTF-8 as `\xff`, other characters that do not print
 * or that would control the display as `\n` or `\u{202e}`. Only then is a backslash doubled.
 */
export function printable(text: string): string {
  if (text.search(UNPRINTABLE) === -1) return text;
  return text.replaceAll("\\", "\\\\").replaceAll(UNPRINTABLE, escape);
}

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escape(character: string): string {
  const code = character.codePointAt(0)!;
  if (ESCAPED_BYTE.test(character)) return `\\x${(code - 0xdc00).toString(16)}`;
  return SHORT[character] ?? `\\u{${code.toString(16)}}`;
}

/** What `escape` gives, and a doubled backslash. */
const ESCAPE = /\\(?:([\\nrt])|x([89a-fA-F][0-9a-fA-F])|u\{([0-9a-fA-F]{1,6})\})/g;
const LONG: Record<string, string> = { "\\": "\\", n: "\n", r: "\r", t: "\t" };

/**
 * A path as people read and type it: `printable`, and different from the text of any other path. So a backslash is also
 * doubled where it would start an escape, as in the name `a\new`.
 */
export function escapePath(path: string): string {
  const text = printable(path);
  return text === path && unescape(path) !== path ? path.replaceAll("\\", "\\\\") : text;
}

/**
 * The path that a person typed: the reverse of `escapePath`. A backslash that starts no escape stands for itself.
 * @throws RangeError if the text is not a path: no directory has such a name
 */
export function parsePath(text: string): string {
  return fromBytes(toBytes(unescape(text)));
}

function unescape(text: string): string {
  return text.replaceAll(ESCAPE, (all, short?: string, byte?: string, code?: string) => {
    if (short !== undefined) return LONG[short] ?? all;
    if (byte !== undefined) return String.fromCharCode(0xdc00 + Number.parseInt(byte, 16));
    const point = Number.parseInt(code ?? "", 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}

/** The length of the valid UTF-8 sequence that starts here; 0 if there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return Math.min(length, bytes.length - at);
  } catch {
    return 0;
  }
}

/** The directory that a path is in; "" is the root. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The name of a path in its directory. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path of a name in a directory; "" is the root. */
export function joinPath(directory: string, name: string): string {
  // A name is one segment: on Windows it cannot hold a separator, on POSIX "\" is part of it.
  return directory === "" ? name : `${directory}/${name}`;
}

/** Whether a path is a directory's own, or lies below it; everything lies below "". */
export function isWithin(path: string, directory: string): boolean {
  return directory === "" || path === directory || path.startsWith(`${directory}/`);
}
