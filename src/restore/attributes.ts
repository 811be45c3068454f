import { constants, type Stats } from "node:fs";
import { chmod, lstat, lutimes, open, utimes, type FileHandle } from "node:fs/promises";
import { fileError } from "../files/errors.ts";
import { hasTime, setTime, type Time } from "../files/file-times.ts";
import { O_PATH } from "../files/own-directory.ts";
import type { PinnedDirectory } from "../files/pinned-directory.ts";
import { withTimeout } from "../files/timeout.ts";
import { modeOf, type Entry } from "../model/entry.ts";
import { forDisk, type DiskPath } from "../model/path.ts";

/** A file or directory whose attributes are set. */
interface Attributed {
  stat(): Promise<Stats>;
  chmod(mode: number): Promise<void>;
  setTime(time: Time): Promise<void>;
  sync(): Promise<void>;
}

/** The setuid and setgid bits. */
const SETUID = 0o6000;
export const SPECIAL = 0o7000;

/**
 * The permission bits to give an item.
 * @param current what is at its place
 * @param setuid whether files get their setuid and setgid bits; if not, the present ones stay
 */
export function wantedMode(
  { kind, mode }: Pick<Entry, "kind" | "mode">,
  current: { mode: number },
  setuid: boolean,
): number {
  const left = kind === "file" && !setuid ? SETUID : 0;
  return (mode & ~left) | (current.mode & left);
}

interface AttributesContext {
  fileTimeoutMs: number;
  /** See wantedMode. */
  setuid: boolean;
}

/**
 * Sets the mode and time of a file, link or directory, where they differ.
 * @param current what is at its place
 * @returns what could not be set, as a message
 */
export async function adjust(
  item: Entry,
  at: DiskPath,
  current: Stats,
  { fileTimeoutMs, setuid }: AttributesContext,
): Promise<string | undefined> {
  const sameTime = hasTime(current, item.mtime);
  if (item.kind === "link")
    return sameTime
      ? undefined
      : await withTimeout(setTimeOfLink(at, item.mtime), fileTimeoutMs, "setting its time");
  const mode = wantedMode(item, current, setuid);
  if (modeOf(current) === mode && sameTime) return undefined;
  const setting = withOpened(at, (opened) => setAttributes(opened, { mode, mtime: item.mtime }));
  return await withTimeout(setting, fileTimeoutMs, "setting its mode");
}

/** Sets a link's own time. @returns what could not be set, as a message */
export async function setTimeOfLink(at: DiskPath, mtime: number): Promise<string | undefined> {
  const link = { setTime: (time: Time) => lutimes(at, time, time), stat: () => lstat(at) };
  return await unlessRefused("its modification time could not be set", () => setTime(link, mtime));
}

/**
 * Sets a written file's mode and time, and flushes it, unless that comes later.
 * @returns what could not be set, as a message
 */
export async function finish(
  handle: FileHandle,
  item: Entry,
  { setuid, flush: now = true }: Pick<AttributesContext, "setuid"> & { flush?: boolean },
): Promise<string | undefined> {
  const file = now ? fileOf(handle) : { ...fileOf(handle), sync: async () => {} };
  return await setAttributes(file, { mode: wantedMode(item, { mode: 0 }, setuid), mtime: item.mtime });
}

function fileOf(handle: FileHandle): Attributed {
  return {
    stat: () => handle.stat(),
    chmod: (mode) => handle.chmod(mode),
    setTime: (time) => handle.utimes(time, time),
    sync: () => handle.sync(),
  };
}

/** A directory that is held open. */
export function attributesAt(directory: PinnedDirectory): Attributed {
  const { handle } = directory;
  return handle ? fileOf(handle) : atPath(forDisk(directory.real), () => directory.stat());
}

const NOT_A_LINK = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Opens a file or directory, never through a link, even if its owner may not read it. */
async function withOpened<T>(at: DiskPath, work: (opened: Attributed) => Promise<T>): Promise<T> {
  try {
    return await withHandle(open(at, constants.O_RDONLY | NOT_A_LINK), (handle) => work(fileOf(handle)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
  }
  if (process.platform !== "linux") return await work(atPath(at, () => lstat(at)));
  return await withHandle(open(at, O_PATH | NOT_A_LINK), async (handle) => {
    if ((await handle.stat()).isSymbolicLink()) throw Object.assign(new Error("a link"), { code: "ELOOP" });
    return await work(atPath(`/proc/self/fd/${handle.fd}`, () => handle.stat()));
  });
}

/** For what cannot be opened, and so cannot be flushed. */
function atPath(at: DiskPath, stat: () => Promise<Stats>): Attributed {
  return {
    stat,
    chmod: (mode) => chmod(at, mode),
    setTime: (time) => utimes(at, time, time),
    sync: async () => {},
  };
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

/** Errors for an attribute that the file system does not keep, or that this user may not set. */
const REFUSED = new Set(["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"]);

/**
 * Sets the mode and time of a file or directory, and flushes it. What is refused becomes a note: content comes first.
 * @returns what could not be set, as a message
 */
export async function setAttributes(
  on: Attributed,
  { mode, mtime }: Pick<Entry, "mode" | "mtime">,
): Promise<string | undefined> {
  const notes = [
    await unlessRefused("its mode could not be set", () => setMode(on, mode)),
    await unlessRefused("its modification time could not be set", () => setTime(on, mtime)),
    await flush(on),
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? undefined : notes.join("; ");
}

/** @returns a message if the file system cannot flush */
export async function flush(on: Pick<Attributed, "sync">): Promise<string | undefined> {
  return await unlessRefused("it could not be flushed to the disk", () => on.sync());
}

/** @returns what could not be set, as a message */
async function setMode(on: Attributed, mode: number): Promise<string | undefined> {
  try {
    await on.chmod(mode);
  } catch (error) {
    if ((mode & SPECIAL) === 0) throw error;
    await on.chmod(mode & ~SPECIAL);
  }
  if ((mode & SPECIAL) === 0) return undefined;
  // The kernel silently drops setgid if the user is not in the group.
  const now = modeOf(await on.stat());
  return now === mode ? undefined : `its mode is ${octal(now)}, because this user may not set ${octal(mode)}`;
}

async function unlessRefused(
  what: string,
  set: () => Promise<string | undefined | void>,
): Promise<string | undefined> {
  try {
    return (await set()) ?? undefined;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!REFUSED.has(code)) throw error;
    return `${what}: ${fileError(code)}`;
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
