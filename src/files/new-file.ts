/** How the file thread writes small files. Anything unusual is an error. */
import * as fs from "node:fs";
import { constants } from "node:fs";
import { nameOf, parentPath } from "../model/path.ts";
import type { NewFile, Written } from "./asks.ts";
import { OpenDirectory } from "./open-directory.ts";

/** A file that must be new. */
export const NEW_FILE =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

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
