import { lstat } from "node:fs/promises";
import path from "node:path";
import pMap from "p-map";
import { withTimeout } from "../files/timeout.ts";
import { forDisk, parentPath } from "../model/path.ts";

/** Concurrent directory lookups. */
const LOOKS = 16;

/** The directories above some items, parents first, without the target. */
export function directoriesAbove(items: readonly { path: string }[]): string[] {
  const above = new Set<string>();
  for (const { path: name } of items) {
    let end = name.lastIndexOf("/");
    while (end > 0 && !above.has(name.slice(0, end))) {
      above.add(name.slice(0, end));
      end = name.lastIndexOf("/", end - 1);
    }
  }
  return [...above].sort((a, b) => depthOf(a) - depthOf(b));
}

/** Those of some directories, given parents first, that do not exist, without those in them: a restore makes them. */
export async function missingDirectories(
  directories: readonly string[],
  { realTo, fileTimeoutMs }: { realTo: string; fileTimeoutMs: number },
): Promise<string[]> {
  const there = new Set([""]);
  const missing: string[] = [];
  for (const level of Map.groupBy(directories, depthOf).values()) {
    const look = async (directory: string): Promise<void> => {
      if (await isMissing(path.join(realTo, directory), fileTimeoutMs)) missing.push(directory);
      else there.add(directory);
    };
    const inThere = level.filter((directory) => there.has(parentPath(directory)));
    await pMap(inThere, look, { concurrency: LOOKS });
  }
  return missing;
}

/** An error here is reported when something is restored into the directory. */
async function isMissing(at: string, fileTimeoutMs: number): Promise<boolean> {
  try {
    const stats = await withTimeout(lstat(forDisk(at)), fileTimeoutMs, "looking for it");
    // A file is replaced by a directory; a link is not.
    return !stats.isDirectory() && !stats.isSymbolicLink();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

export function depthOf(directory: string): number {
  return directory === "" ? 0 : directory.split("/").length;
}
