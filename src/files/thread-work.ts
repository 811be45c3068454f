/** What the file thread does: reads and writes small files, and reads directories. Anything unusual is an error, or undefined. */
import { hash } from "node:crypto";
import * as fs from "node:fs";
import path from "node:path";
import { forDisk, fromBytes, nameOf, parentPath, type DiskPath } from "../model/path.ts";
import type { Looked, NewFile, ReadAsk, ReadWhole, Written } from "./asks.ts";
import { DIRECTORY_ONLY, NEW_FILE, type Name } from "./pinned-directory.ts";
import { isSame, isSettled, liesInside, READ_ONLY } from "./read-file.ts";
import { pathOfOpen } from "./real-path.ts";

/** Where a file is. */
interface Place {
  realRoot: string;
  path: string;
}

/** Directories held open while the thread works on one message. */
export class OpenDirectories {
  readonly #open = new Map<string, OpenDirectory>();

  /** The directory that a file belongs in. */
  of({ realRoot, path: portable }: Place): OpenDirectory {
    const parent = parentPath(portable);
    const key = `${realRoot}\0${parent}`;
    let directory = this.#open.get(key);
    if (!directory) this.#open.set(key, (directory = new OpenDirectory(realRoot, parent)));
    return directory;
  }

  close(): void {
    for (const directory of this.#open.values()) directory.close();
  }
}

/** Writes a file that only its owner can read until it is whole. */
export function write(file: NewFile, directory: OpenDirectory): true {
  if (directory.stats.dev !== file.device) throw new Error("another file system");
  const at = directory.path(file.temporary);
  const descriptor = fs.openSync(at, NEW_FILE, 0o600);
  try {
    fill(descriptor, file);
    return true;
  } catch (error) {
    fs.unlinkSync(at);
    throw error;
  }
}

function fill(descriptor: number, { content, mode, mtime }: NewFile): void {
  try {
    if (content.length > 0 && fs.writeSync(descriptor, content) !== content.length) throw new Error("full");
    fs.fchmodSync(descriptor, mode);
    fs.futimesSync(descriptor, mtime, mtime);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Renames a file into its place. */
export function place(
  { path: portable, temporary, replace }: Place & Written,
  directory: OpenDirectory,
): true {
  const at = directory.path(nameOf(portable));
  if (!replace && fs.lstatSync(at, { throwIfNoEntry: false })) throw new Error("something is there");
  fs.renameSync(directory.path(temporary), at);
  return true;
}

/** PinnedDirectory for the file thread, without waiting. Linux only. Anything unusual is an error. */
export class OpenDirectory {
  readonly #descriptor: number;
  readonly stats: fs.Stats;

  /** @param portable "" for the root itself */
  constructor(realRoot: string, portable: string) {
    const real = path.join(realRoot, ...portable.split("/"));
    this.#descriptor = fs.openSync(forDisk(real), DIRECTORY_ONLY);
    try {
      if (pathOfOpen(this.#descriptor) !== real) throw new Error("reached through a link");
      this.stats = fs.fstatSync(this.#descriptor);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  path(name: string): DiskPath {
    return forDisk(`/proc/self/fd/${this.#descriptor}/${name}`);
  }

  names(): Name[] {
    const entries = fs.readdirSync(this.path(""), { withFileTypes: true, encoding: "buffer" });
    return entries.map((entry) => ({ name: fromBytes(entry.name), isDirectory: entry.isDirectory() }));
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

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
