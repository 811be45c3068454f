import { symlink } from "node:fs/promises";
import type { PlannedItem } from "../manifest/planned-item.ts";
import type { DiskPath } from "../model/path.ts";
import { Lost, type Read } from "../store/fetching.ts";
import { setTimeOfLink } from "./attributes.ts";
import { fileOperation } from "./decide.ts";
import type { RestoreContext } from "./restore-context.ts";

/** Bytes: more than any file system allows. */
const LONGEST_TARGET = 64 * 1024;

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
