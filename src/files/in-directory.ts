import { awaitingHandles } from "./handles.ts";
import { openOwn } from "./own-directory.ts";
import type { PinnedDirectory } from "./pinned-directory.ts";
import { withTimeout } from "./timeout.ts";
import { unsafePath } from "../model/safe-path.ts";
import { parentPath } from "../model/path.ts";

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

interface Where {
  realTo: string;
  fileTimeoutMs: number;
}

/** Holds a directory of a target open while something is done with it. @throws FileTimeout, the file system's error */
export async function withDirectory<T>(
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
export async function tryInDirectory(
  where: Where,
  portable: string,
  work: (directory: PinnedDirectory) => Promise<void>,
): Promise<void> {
  await withDirectory(where, portable, "looking into its directory", work).catch(() => undefined);
}
