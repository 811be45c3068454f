import { mtimeOf } from "../model/entry.ts";
import { formatMtime } from "../model/time.ts";

/** A time for utimes, in seconds. */
export type Time = number | string;

/** Microseconds since 1970 from which on file systems are that do not hold a time: those of 32 bits, to 2038. */
const END_OF_32_BITS = 2 ** 31 * 1_000_000;
/** What file systems, or Node, say of a time that they cannot hold. */
const CANNOT_HOLD = new Set(["EINVAL", "EOVERFLOW", "ERANGE"]);

/** What has a time of change. */
export interface Timed {
  setTime(time: Time): Promise<void>;
  stat(): Promise<{ mtimeMs: number; ctimeMs: number }>;
}

/**
 * Sets a time of change. One that is not held costs nothing but itself; what file systems cannot hold they cut off
 * without a word, so such a one is looked up then.
 * @param mtime microseconds since 1970
 * @returns why the file has another time now, for people; undefined where it has this one
 */
export async function setTime(file: Timed, mtime: number): Promise<string | undefined> {
  if (isCommon(mtime)) {
    await file.setTime(mtime / 1_000_000);
    return undefined;
  }
  try {
    // Node takes a negative number for "now", but not the text of one.
    await file.setTime(String(mtime / 1_000_000));
    if (hasTime(await file.stat(), mtime)) return undefined;
  } catch (error) {
    if (!CANNOT_HOLD.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
  return `its time of change, ${formatMtime(mtime)}, could not be set: the file system that it is on does not hold it`;
}

/**
 * Whether a file has a time of change, as far as that can be set: far from 1970 to some microseconds, and where the file
 * system keeps whole seconds, or every second one as FAT does, to those.
 */
export function hasTime(stats: { mtimeMs: number; ctimeMs: number }, mtime: number): boolean {
  const rounding = isCommon(mtime) ? 0 : Math.max(1, Math.abs(mtime) * 2 ** -50);
  return Math.abs(mtimeOf(stats) - mtime) <= Math.max(rounding, precisionOf(stats) - 1);
}

/**
 * The precision of a file's times in microseconds. The kernel sets the time of the last change of its inode, so one of
 * whole seconds shows that the file system has no finer ones.
 */
function precisionOf({ mtimeMs, ctimeMs }: { mtimeMs: number; ctimeMs: number }): number {
  if (ctimeMs % 1000 !== 0 || mtimeMs % 1000 !== 0) return 1;
  return mtimeMs % 2000 === 0 && ctimeMs % 2000 === 0 ? 2_000_000 : 1_000_000;
}

function isCommon(mtime: number): boolean {
  return mtime >= 0 && mtime < END_OF_32_BITS;
}
