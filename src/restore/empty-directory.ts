import type { Stats } from "node:fs";
import { lstat, mkdir, rmdir, unlink } from "node:fs/promises";
import { ignore } from "../files/pinned-directory.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import type { DiskPath } from "../model/path.ts";
import { adjust } from "./attributes.ts";
import { fileOperation } from "./decide.ts";
import type { RestoreContext } from "./restore-context.ts";

/** Removes a directory that is in an item's place. @returns whether it was empty */
export async function removeDirectory(at: DiskPath, context: RestoreContext): Promise<boolean> {
  try {
    await fileOperation(context, "removing what is in its place", rmdir(at));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/** Restores an empty directory. @returns a note, if any */
export async function makeDirectory(
  item: PlannedItem,
  at: DiskPath,
  current: Stats | undefined,
  context: RestoreContext,
): Promise<string | undefined> {
  const making = async (): Promise<Stats> => {
    if (current) await unlink(at);
    await mkdir(at, item.mode & 0o777).catch(ignore("EEXIST"));
    return await lstat(at);
  };
  const made = await fileOperation(context, "making it", making());
  return await adjust(item, at, made, context);
}
