import { fileThread, QUICK_SIZE } from "../files/file-thread.ts";
import { awaitingHandles } from "../files/handles.ts";
import { ChangedWhileReading, OpenFile } from "../files/read-file.ts";
import { lookAtDirectory, readLink } from "../files/read-link.ts";
import { withTimeout } from "../files/timeout.ts";
import { attributesOf, type Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Budget } from "../storage/budget.ts";
import { SendAgain, type Put } from "../store/store.ts";
import { errorOutcome, READS } from "./copy-outcome.ts";
import { openToCopy } from "./open-to-copy.ts";

/** Where files are read, and with what. */
export interface Reading {
  realRoot: string;
  fileTimeoutMs: number;
  budget: Budget;
}

/**
 * Copies one file, link or empty directory, and returns its outcome.
 * @throws storage errors that concern more than this file
 */
export async function copyFile(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
  try {
    // If a socket got no handle, begins again: the file has released its own.
    return await awaitingHandles(() => copyEntry(entry, put, reading));
  } catch (error) {
    return errorOutcome(entry, error);
  }
}

async function copyEntry(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
  const { realRoot, fileTimeoutMs } = reading;
  if (entry.kind === "link") {
    const { target, stats } = await withTimeout(readLink(realRoot, entry.path), fileTimeoutMs, "reading it");
    return await put.content({ content: target, attributes: attributesOf(stats) });
  }
  if (entry.kind === "directory") {
    const looking = lookAtDirectory(realRoot, entry.path);
    const stats = await withTimeout(looking, fileTimeoutMs, "looking it up");
    return await put.content({ content: Buffer.alloc(0), attributes: attributesOf(stats) });
  }
  const quick = entry.size <= QUICK_SIZE ? await copyQuickly(entry, put, reading) : undefined;
  return quick ?? (await copyOpened(entry, put, reading));
}

/** Copies a small file that is as it was listed and does not change; undefined for any other, which takes the usual way. */
async function copyQuickly(
  entry: Entry,
  put: Put,
  { realRoot, budget }: Reading,
): Promise<Outcome | undefined> {
  return await budget.bytes(entry.size, async () => {
    const file = await fileThread.read(realRoot, entry.path, entry.size);
    if (!file) return undefined;
    const content = Buffer.from(file.content.buffer);
    return await put.content({ ...file, content, attributes: attributesOf(file) });
  });
}

/** Tries again, a few times, if the file changes while it is read. */
async function copyOpened(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
  for (let read = 1; ; read++) {
    const file = await openToCopy(entry, reading);
    try {
      if (await OpenFile.settle(file.stats)) await file.assertUnchanged();
      return await put.file(file);
    } catch (error) {
      const again = error instanceof ChangedWhileReading || error instanceof SendAgain;
      if (!again || read === READS) throw error;
    } finally {
      await file.close();
    }
  }
}
