import { hash } from "node:crypto";
import * as fs from "node:fs";
import type { DiskPath } from "../model/path.ts";
import type { Looked, ReadAsk, ReadWhole } from "./asks.ts";
import { isSame, isSettled, liesInside, READ_ONLY } from "./read-file.ts";

/**
 * Reads a small file in the file thread. Like `OpenFile`, checks what was opened, not what the name was a moment ago.
 * @returns undefined where anything is unusual
 */
export function readWhole(file: DiskPath, { realRoot, into, hash: name }: ReadAsk): ReadWhole | undefined {
  const { length: size } = into;
  const descriptor = fs.openSync(file, READ_ONLY);
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile() || stats.size !== size || !isSettled(stats)) return undefined;
    if (!liesInside(descriptor, realRoot)) return undefined;
    if (size > 0 && fs.readSync(descriptor, into, 0, size, 0) !== size) return undefined;
    // Some file systems report no sizes.
    if (size === 0 && fs.readSync(descriptor, new Uint8Array(1), 0, 1, 0) > 0) return undefined;
    if (!isSame(stats, fs.fstatSync(descriptor))) return undefined;
    return { hash: hash(name, into, "base64"), ...lookedAt(stats) };
  } finally {
    fs.closeSync(descriptor);
  }
}

export function lookedAt({ size, mtimeMs, ctimeMs, mode }: fs.Stats): Looked {
  return { size, mtimeMs, ctimeMs, mode };
}
