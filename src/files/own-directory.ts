import { constants, type Stats } from "node:fs";
import { chmod, open } from "node:fs/promises";
import path from "node:path";
import { Mutex } from "async-mutex";
import { forDisk, type DiskPath } from "../model/path.ts";
import { explained, PinnedDirectory } from "./pinned-directory.ts";

/**
 * Opens a directory to change what is in it, as PinnedDirectory.open does. One that is the user's own and whose mode
 * forbids that to its owner, or one on the way to it, is lent the bits until it is closed: else a tree with directories that
 * are read-only, or closed, could be restored only once, by anybody but root. Nobody else gets any, and the directory of
 * another user stays as it is.
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

/** The same of a directory in one that was opened so, by its name. @throws as PinnedDirectory.child */
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

/** What an owner needs to list a directory, to reach its names, and to add and remove some. */
const ALL = 0o700;

/** Directories whose owner has these bits for a while, by device and number: their own modes, and for how many. */
const loans = new Map<string, { mode: number; users: number }>();
/** Lending and taking back, one at a time: it is rare. */
const mutex = new Mutex();

/** @returns how to take the bits back; undefined where nothing was lent */
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
        // Not before: what is open to its owner and lent to nobody is taken to be so by itself.
        loans.delete(key);
      });
  });
}

/** Linux: a handle to the entry itself, which its mode cannot forbid and which nothing can be read from. */
export const O_PATH = 0o10000000;

/** Does something while a directory that cannot be opened is lent the bits for that. Linux; elsewhere it stays as it is. */
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

/** What is done with the directory will show what may not be done. */
function ignored(): void {}
