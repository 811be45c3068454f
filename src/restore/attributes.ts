import { constants, type Stats } from "node:fs";
import { lstat, lutimes, open, type FileHandle } from "node:fs/promises";
import { modeOf } from "../backup/entry.ts";
import type { DiskPath } from "../model/path.ts";
import { withTimeout } from "../file-system/timeout.ts";
import { hasTime, PERMISSIONS, setTime, type Time } from "./file-times.ts";
import type { PlannedItem } from "./plan.ts";

/**
 * Sets what a file, link or directory has beside its content, where it is not so already.
 * @param current what is at its place
 * @returns what there is to say of that
 */
export async function adjust(
  item: PlannedItem,
  at: DiskPath,
  current: Stats,
  timeoutMs: number,
): Promise<string | undefined> {
  const sameTime = hasTime(current, item.mtime);
  if (item.kind === "link")
    return sameTime
      ? undefined
      : await withTimeout(setTimeOfLink(at, item.mtime), timeoutMs, "setting its time");
  if ((modeOf(current) & PERMISSIONS) === (item.mode & PERMISSIONS) && sameTime) return undefined;
  // Through what was opened, so that a link put there meanwhile is not followed.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const setting = withHandle(open(at, flags), (handle) => finish(handle, item));
  return await withTimeout(setting, timeoutMs, "setting its mode");
}

/** Sets a link's own time. @returns what there is to say of that */
export async function setTimeOfLink(at: DiskPath, mtime: number): Promise<string | undefined> {
  return await setTime({ setTime: (time) => lutimes(at, time, time), stat: () => lstat(at) }, mtime);
}

/** Gives a file its mode and time, and makes it last. @returns what there is to say of that */
export async function finish(handle: FileHandle, item: PlannedItem): Promise<string | undefined> {
  await handle.chmod(item.mode & PERMISSIONS);
  const file = { setTime: (time: Time) => handle.utimes(time, time), stat: () => handle.stat() };
  const note = await setTime(file, item.mtime);
  await handle.sync();
  return note;
}

async function withHandle<T>(
  opening: Promise<FileHandle>,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await opening;
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
