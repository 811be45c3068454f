import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import path from "node:path";
import { NotADirectory, PinnedDirectory } from "./pinned-directory.ts";
import { locate, NotAFile } from "./read-file.ts";
import { parentPath } from "../model/path.ts";

/**
 * Reads a link's target, through the directory that it is in held open: a link put in that directory's place meanwhile
 * leads nowhere.
 * @throws NotAFile when the way to it goes through a link, or the file system's error (ENOENT, EINVAL …)
 */
export async function readLink(
  realRoot: string,
  portable: string,
): Promise<{ target: Buffer; stats: Stats }> {
  return await inDirectory(realRoot, parentPath(portable), async (directory) => {
    const at = directory.path(path.posix.basename(portable));
    return { target: await readlink(at, { encoding: "buffer" }), stats: await lstat(at) };
  });
}

/** What a directory of the tree is. @throws as readLink */
export async function lookAtDirectory(realRoot: string, portable: string): Promise<Stats> {
  return await inDirectory(realRoot, portable, (directory) => directory.stat());
}

/** Holds a directory of the tree open while something is done with it. @throws as readLink */
export async function inDirectory<T>(
  realRoot: string,
  portable: string,
  work: (directory: PinnedDirectory) => Promise<T>,
): Promise<T> {
  locate(realRoot, portable);
  let directory: PinnedDirectory;
  try {
    directory = await PinnedDirectory.open(realRoot, portable);
  } catch (error) {
    if (!(error instanceof NotADirectory)) throw error;
    throw new NotAFile("outside the root: a directory on the way was replaced by a link");
  }
  try {
    return await work(directory);
  } finally {
    await directory.close();
  }
}
