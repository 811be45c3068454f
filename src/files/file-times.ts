import { formatMtime, mtimeOf } from "../model/entry.ts";

/** A time for utimes, in seconds. */
export type Time = number | string;

/** Times from here on, in microseconds since 1970, overflow file systems with 32-bit timestamps (2038). */
const END_OF_32_BITS = 2 ** 31 * 1_000_000;
/** What file systems, or Node, report for a time they cannot hold. */
const CANNOT_HOLD = new Set(["EINVAL", "EOVERFLOW", "ERANGE"]);

/** Anything with a modification time. */
interface Timed {
  setTime(time: Time): Promise<void>;
  stat(): Promise<{ mtimeMs: number; ctimeMs: number }>;
}

/**
 * Sets a modification time. One that the file system cannot hold is no error. File systems truncate such a time silently, so
 * an extreme one is read back.
 * @param mtime microseconds since 1970
 * @returns why the file has another time now; undefined if it has this one
 */
export async function setTime(file: Timed, mtime: number): Promise<string | undefined> {
  if (isCommon(mtime)) {
    await file.setTime(mtime / 1_000_000);
    return undefined;
  }
  try {
    // Node takes a negative number for "now", but not its text.
    await file.setTime(String(mtime / 1_000_000));
    if (hasTime(await file.stat(), mtime)) return undefined;
  } catch (error) {
    if (!CANNOT_HOLD.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
  return `its modification time, ${formatMtime(mtime)}, could not be set: the file system cannot store it`;
}

/**
 * Whether a file has a modification time, as far as it can be set: to some microseconds far from 1970, and on file
 * systems that keep whole seconds (FAT: two) to those.
 */
export function hasTime(stats: { mtimeMs: number; ctimeMs: number }, mtime: number): boolean {
  const rounding = isCommon(mtime) ? 0 : Math.max(1, Math.abs(mtime) * 2 ** -50);
  return Math.abs(mtimeOf(stats) - mtime) <= Math.max(rounding, precisionOf(stats) - 1);
}

/**
 * The precision of a file's times in microseconds. The kernel sets ctime, so one of whole seconds shows that the file
 * system has no finer times.
 */
function precisionOf({ mtimeMs, ctimeMs }: { mtimeMs: number; ctimeMs: number }): number {
  if (ctimeMs % 1000 !== 0 || mtimeMs % 1000 !== 0) return 1;
  return mtimeMs % 2000 === 0 && ctimeMs % 2000 === 0 ? 2_000_000 : 1_000_000;
}

/** Whether every file system can hold a time. */
export function isCommon(mtime: number): boolean {
  return mtime >= 0 && mtime < END_OF_32_BITS;
}
