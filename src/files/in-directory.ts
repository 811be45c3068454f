import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import path from "node:path";
import { parentPath } from "../model/path.ts";
import { unsafePath } from "../model/safe-path.ts";
import { awaitingHandles } from "./errors.ts";
import { openOwn } from "./own-directory.ts";
import { NotADirectory, PinnedDirectory } from "./pinned-directory.ts";
import { locate, NotAFile } from "./read-file.ts";
import { withTimeout } from "./timeout.ts";

interface Where {
  realTo: string;
  fileTimeoutMs: number;
}

/** The items by the directory that they belong in; those whose names are safe. */
export function byDirectory<Item extends { path: string }>(items: readonly Item[]): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) {
    if (unsafePath(item.path) !== undefined) continue;
    const directory = parentPath(item.path);
    const others = found.get(directory);
    if (others) others.push(item);
    else found.set(directory, [item]);
  }
  return found;
}

/** Holds a directory of a target open while something is done with it. @throws FileTimeout, the file system's error */
export async function inTarget<T>(
  { realTo, fileTimeoutMs }: Where,
  portable: string,
  what: string,
  work: (directory: PinnedDirectory) => Promise<T>,
): Promise<T> {
  const opened = async (): Promise<T> => {
    const directory = await openOwn(realTo, portable);
    try {
      return await work(directory);
    } finally {
      await directory.close();
    }
  };
  return await awaitingHandles(() => withTimeout(opened(), fileTimeoutMs, what));
}

/** The same, if possible: problems with a directory are reported when its files are restored. */
export async function tryInTarget(
  where: Where,
  portable: string,
  work: (directory: PinnedDirectory) => Promise<void>,
): Promise<void> {
  await inTarget(where, portable, "looking into its directory", work).catch(() => undefined);
}

/**
 * Reads a link's target, through the directory that it is in held open: a link put in that directory's place meanwhile
 * leads nowhere.
 * @throws NotAFile when the way to it goes through a link, or the file system's error (ENOENT, EINVAL …)
 */
export async function readLink(
  realRoot: string,
  portable: string,
): Promise<{ target: Buffer; stats: Stats }> {
  return await inTree(realRoot, parentPath(portable), async (directory) => {
    const at = directory.path(path.posix.basename(portable));
    return { target: await readlink(at, { encoding: "buffer" }), stats: await lstat(at) };
  });
}

/** What a directory of the tree is. @throws as readLink */
export async function lookAtDirectory(realRoot: string, portable: string): Promise<Stats> {
  return await inTree(realRoot, portable, (directory) => directory.stat());
}

/** Holds a directory of the tree open while something is done with it. @throws as readLink */
export async function inTree<T>(
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
