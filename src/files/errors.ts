/** The file system's errors: what they say, and waiting while there are too few handles. */
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Give up if no handle becomes free for this long, milliseconds: well below an activity's time. */
const PATIENCE_MS = 120_000;
/** Longest wait for a request made while a file is open: others may need that file's handle. */
export const HOLDING_A_FILE_MS = 3_000;
const LONGEST_PAUSE_MS = 1_000;

/** Called at each shortage, so that whoever holds handles can use fewer. */
const listeners: (() => void)[] = [];

export function whenOutOfHandles(listener: () => void): void {
  listeners.push(listener);
}

/** Since when nothing that needs a handle has succeeded; undefined while there are enough. */
let shortSince: number | undefined;

/** Whether this process (EMFILE) or machine (ENFILE) has run out of handles: files, directories and sockets. */
export function isOutOfHandles(error: unknown): error is NodeJS.ErrnoException {
  return ["EMFILE", "ENFILE"].includes(String((error as NodeJS.ErrnoException | undefined)?.code));
}

/**
 * Does something that needs a handle; while there are none, waits for others to give theirs back, and retries.
 * `work` must be safe to repeat, and hold no handle when it has failed.
 * @param patience milliseconds that this piece of work may wait
 * @throws what `work` throws; its EMFILE or ENFILE once patience runs out
 */
export async function awaitingHandles<T>(work: () => Promise<T>, patience = PATIENCE_MS): Promise<T> {
  const began = performance.now();
  for (let tries = 1; ; tries++) {
    try {
      const result = await work();
      shortSince = undefined;
      return result;
    } catch (error) {
      if (!isOutOfHandles(error)) throw error;
      const now = performance.now();
      shortSince ??= now;
      if (now - began > patience || now - shortSince > PATIENCE_MS) throw error;
      for (const listener of listeners) listener();
      // With jitter, so that the waiters do not all retry at once.
      await sleep(Math.min(LONGEST_PAUSE_MS, 100 * tries) * (0.5 + Math.random() / 2));
    }
  }
}

const FILE_ERRORS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EIO: "input/output error: the disk or the share failed",
  ESTALE: "stale file handle: the share was mounted anew",
  EMFILE: "too many open files in this process; lower BACKUP_REQUESTS_IN_FLIGHT",
  ENFILE: "too many open files on this machine",
  ENAMETOOLONG: "its path is longer than the file system allows",
  EBUSY: "in use by another program",
  ENXIO: "no such device",
};

/** A file system's error code, explained. */
export function fileError(code: string): string {
  const name = errorName(code);
  return FILE_ERRORS[name] ? `${FILE_ERRORS[name]} (${name})` : name;
}

/** libuv has no name for some errors, ESTALE among them: it gives "Unknown system error -116". */
function errorName(code: string): string {
  const number = /^Unknown system error -(\d+)$/.exec(code)?.[1];
  const [name = code] = Object.entries(constants.errno).find(([, errno]) => String(errno) === number) ?? [];
  return name;
}
