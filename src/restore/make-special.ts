import type { Stats } from "node:fs";
import { lstat, mkdir, rmdir, symlink, unlink } from "node:fs/promises";
import { ignore } from "../files/pinned-directory.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import type { DiskPath } from "../model/path.ts";
import { Lost, type Read } from "../store/fetching.ts";
import { adjust, setTimeOfLink } from "./attributes.ts";
import { fileOperation } from "./decide.ts";
import type { RestoreContext } from "./restore-context.ts";

/** Bytes: more than any file system allows. */
const LONGEST_TARGET = 64 * 1024;

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

/** Restores a link with its target as recorded, wherever that points. */
export async function makeLink(
  temporary: DiskPath,
  read: Read,
  { source, mtime }: PlannedItem,
  context: RestoreContext,
): Promise<string | undefined> {
  if (source.length > LONGEST_TARGET) throw new Lost("corrupt: too long for a link's target");
  const target: Buffer[] = [];
  await read(async (bytes) => {
    target.push(Buffer.from(bytes));
  });
  const making = async (): Promise<string | undefined> => {
    await symlink(Buffer.concat(target), temporary);
    return await setTimeOfLink(temporary, mtime);
  };
  return await fileOperation(context, "making it", making());
}
