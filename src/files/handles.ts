import { setTimeout as sleep } from "node:timers/promises";

/** A process that gets no handle at all for so long will not get one, milliseconds: well below an activity's time. */
const PATIENCE_MS = 120_000;
/** So long a request may wait that is made with a file open: others may need that file's handle for theirs. */
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
 * Does something that needs a handle; while there are none, waits and does it again, for others give theirs back
 * meanwhile. `work` must be safe to repeat, and hold no handle when it has failed.
 * @param patience milliseconds that this piece of work may wait
 * @throws what `work` throws; its EMFILE or ENFILE when there was no handle for very long
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
      // With jitter, so that those who wait do not all come back at once.
      await sleep(Math.min(LONGEST_PAUSE_MS, 100 * tries) * (0.5 + Math.random() / 2));
    }
  }
}
