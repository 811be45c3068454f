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

/** Does something with a directory if it is there; what cannot be done with it will show when its files are restored. */
export async function inDirectory(
  { realTo, fileTimeoutMs }: { realTo: string; fileTimeoutMs: number },
  portable: string,
  work: (directory: PinnedDirectory) => Promise<void>,
): Promise<void> {
  const opened = async (): Promise<void> => {
    const directory = await openOwn(realTo, portable);
    try {
      await work(directory);
    } finally {
      await directory.close();
    }
  };
  try {
    await awaitingHandles(() => withTimeout(opened(), fileTimeoutMs, "looking into its directory"));
  } catch {
    // Not all file systems can flush a directory, and not every one may be read.
  }
}
