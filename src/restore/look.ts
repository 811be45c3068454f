import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { isContent } from "../model/content.ts";
import type { DiskPath } from "../model/path.ts";
import { hasTime } from "../files/file-times.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";

/** What is at a place, without following a link; undefined if there is nothing. */
export async function lookUp(at: DiskPath): Promise<Stats | undefined> {
  try {
    return await lstat(at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether what is at an item's place is what the run has, judged by size and time. */
export async function isSame(item: PlannedItem, at: DiskPath, current: Stats): Promise<boolean> {
  switch (item.kind) {
    case "file":
      return current.isFile() && current.size === item.size && hasTime(current, item.mtime);
    case "directory":
      return current.isDirectory();
    case "link":
      return current.isSymbolicLink() && isContent(item, await readlink(at, { encoding: "buffer" }));
  }
}
