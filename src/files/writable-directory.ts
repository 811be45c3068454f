import type { Stats } from "node:fs";
import { Mutex } from "async-mutex";

/** A directory that is held open. */
interface Directory {
  stat(): Promise<Stats>;
  chmod(mode: number): Promise<void>;
}

/** What an owner needs to add and remove names. */
const CHANGE = 0o300;

/** Directories that are writable for a while, by device and number: their own modes, and for how many. */
const lent = new Map<string, { mode: number; users: number }>();
/** Lending and taking back, one at a time: it is rare. */
const mutex = new Mutex();

/**
 * Changes what is in a directory. One whose mode forbids that to its owner gets the bits for as long: else a tree with
 * read-only directories could be restored only once, by anybody but root.
 * @throws what the change throws; the directory of another user stays as it is
 */
export async function whileWritable<T>(directory: Directory, change: () => Promise<T>): Promise<T> {
  const takeBack = await lend(directory);
  try {
    return await change();
  } finally {
    await takeBack?.();
  }
}

/** @returns how to take the bits back; undefined where nothing was lent */
async function lend(directory: Directory): Promise<(() => Promise<void>) | undefined> {
  // Root needs no bits, and Windows has none.
  const user = process.geteuid?.() ?? 0;
  if (user === 0) return undefined;
  const noneLent = lent.size === 0;
  if (noneLent && !isLacking(await directory.stat(), user) && lent.size === 0) return undefined;
  return await mutex.runExclusive(async () => {
    const stats = await directory.stat();
    const key = `${stats.dev}/${stats.ino}`;
    const loan = lent.get(key) ?? { mode: stats.mode & 0o7777, users: 0 };
    if (loan.users === 0 && !isLacking(stats, user)) return undefined;
    lent.set(key, loan);
    if (loan.users++ === 0) await directory.chmod(loan.mode | CHANGE).catch(ignored);
    return () =>
      mutex.runExclusive(async () => {
        if (--loan.users > 0) return;
        await directory.chmod(loan.mode).catch(ignored);
        // Not before: what is writable and lent to nobody is taken to be so by itself.
        lent.delete(key);
      });
  });
}

function isLacking({ uid, mode }: Stats, user: number): boolean {
  return uid === user && (mode & CHANGE) !== CHANGE;
}

/** The change itself will show what may not be done. */
function ignored(): void {}
