import { constants, type Stats } from "node:fs";
import { chmod, open } from "node:fs/promises";
import path from "node:path";
import { Mutex } from "async-mutex";
import { forDisk, type DiskPath } from "../model/path.ts";
import { explained, PinnedDirectory } from "./pinned-directory.ts";

/**
 * Opens a directory to change its content, like PinnedDirectory.open. If it, or a directory on the way, belongs to
 * the user but its mode denies the owner access, it is lent the bits until it is closed. Otherwise only root could
 * restore a tree with read-only or closed directories a second time. Nobody else gets access, and another user's
 * directory stays as it is.
 */
export async function openOwn(realTo: string, portable: string): Promise<PinnedDirectory> {
  const opening = async (): Promise<PinnedDirectory> =>
    await lent(await PinnedDirectory.open(realTo, portable));
  try {
    return await opening();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
  }
  if (portable === "") return await whileLent(forDisk(realTo), opening);
  const above = await openOwn(realTo, path.posix.dirname(`/${portable}`).slice(1));
  try {
    return await ownChild(above, path.posix.basename(portable));
  } catch (error) {
    throw await explained(realTo, portable, error);
  } finally {
    await above.close();
  }
}

/** The same for a directory in one that was opened this way. @throws as PinnedDirectory.child */
export async function ownChild(above: PinnedDirectory, name: string): Promise<PinnedDirectory> {
  const opening = async (): Promise<PinnedDirectory> => await lent(await above.child(name));
  try {
    return await opening();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
    return await whileLent(above.path(name), opening);
  }
}

async function lent(directory: PinnedDirectory): Promise<PinnedDirectory> {
  const { handle } = directory;
  if (!handle) return directory;
  try {
    directory.beforeClose = await lend({ stat: () => handle.stat(), chmod: (mode) => handle.chmod(mode) });
    return directory;
  } catch (error) {
    await directory.close();
    throw error;
  }
}

/** A directory that is held open. */
interface Directory {
  stat(): Promise<Stats>;
  chmod(mode: number): Promise<void>;
}

/** What an owner needs to list a directory, reach its names, and add and remove some. */
const ALL = 0o700;

/** Directories with lent mode bits, by device and inode: their own modes, and the number of users. */
const loans = new Map<string, { mode: number; users: number }>();
/** Serializes lending and taking back, which are rare. */
const mutex = new Mutex();

/** @returns a function that takes the bits back; undefined if nothing was lent */
async function lend(directory: Directory): Promise<(() => Promise<void>) | undefined> {
  // Root needs no bits, and Windows has none.
  const user = process.geteuid?.() ?? 0;
  if (user === 0) return undefined;
  const noneLent = loans.size === 0;
  if (noneLent && !isLacking(await directory.stat(), user) && loans.size === 0) return undefined;
  return await mutex.runExclusive(async () => {
    const stats = await directory.stat();
    const key = `${stats.dev}/${stats.ino}`;
    const loan = loans.get(key) ?? { mode: stats.mode & 0o7777, users: 0 };
    if (loan.users === 0 && !isLacking(stats, user)) return undefined;
    loans.set(key, loan);
    if (loan.users++ === 0) await directory.chmod(loan.mode | ALL).catch(ignored);
    return () =>
      mutex.runExclusive(async () => {
        if (--loan.users > 0) return;
        await directory.chmod(loan.mode).catch(ignored);
        // Last: a directory without a loan is assumed to have its own mode.
        loans.delete(key);
      });
  });
}

/** Linux: a handle to the entry itself, which its mode cannot deny and through which nothing can be read. */
export const O_PATH = 0o10000000;

/**
 * Does something while an inaccessible directory is lent the mode bits for it. Linux only; elsewhere the mode is not changed.
 */
async function whileLent<T>(at: DiskPath, work: () => Promise<T>): Promise<T> {
  if (process.platform !== "linux") return await work();
  const handle = await open(at, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const itself = `/proc/self/fd/${handle.fd}`;
    const takeBack = await lend({ stat: () => handle.stat(), chmod: (mode) => chmod(itself, mode) });
    try {
      return await work();
    } finally {
      await takeBack?.();
    }
  } finally {
    await handle.close();
  }
}

function isLacking({ uid, mode }: Stats, user: number): boolean {
  return uid === user && (mode & ALL) !== ALL;
}

/** The operation itself fails if the bits are missing. */
function ignored(): void {}
