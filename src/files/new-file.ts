/** How the file thread writes small files. Whatever is out of the ordinary is an error. */
import * as fs from "node:fs";
import { constants } from "node:fs";
import path from "node:path";
import { forDisk, nameOf, parentPath, type DiskPath } from "../model/path.ts";
import type { NewFile, Written } from "./asks.ts";
import { DIRECTORY_ONLY } from "./pinned-directory.ts";
import { pathOfOpen } from "./real-path.ts";

/** A file that must be new. */
export const NEW_FILE =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** Where a file is. */
interface Place {
  realRoot: string;
  path: string;
}

/** Directories held open while the thread works on one message, each checked as by PinnedDirectory. Linux only. */
export class OpenDirectories {
  readonly #open = new Map<string, OpenDirectory>();

  /** The directory that a file belongs in. */
  of({ realRoot, path: portable }: Place): OpenDirectory {
    const real = path.join(realRoot, ...parentPath(portable).split("/"));
    let directory = this.#open.get(real);
    if (!directory) this.#open.set(real, (directory = new OpenDirectory(real)));
    return directory;
  }

  close(): void {
    for (const directory of this.#open.values()) directory.close();
  }
}

class OpenDirectory {
  readonly #descriptor: number;
  readonly device: number;

  constructor(real: string) {
    this.#descriptor = fs.openSync(forDisk(real), DIRECTORY_ONLY);
    try {
      if (pathOfOpen(this.#descriptor) !== real) throw new Error("reached through a link");
      this.device = fs.fstatSync(this.#descriptor).dev;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  path(name: string): DiskPath {
    return forDisk(`/proc/self/fd/${this.#descriptor}/${name}`);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

/** Writes a file that only its owner can read until it is whole. */
export function write(file: NewFile, directory: OpenDirectory): true {
  if (directory.device !== file.device) throw new Error("another file system");
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
