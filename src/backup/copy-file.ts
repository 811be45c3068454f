import { QUICK_SIZE } from "../files/asks.ts";
import { readSmall } from "../files/file-thread.ts";
import { awaitingHandles } from "../files/handles.ts";
import { attributesOf, type Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Put } from "../store/storing.ts";
import { copyOpened } from "./copy-opened.ts";
import { errorOutcome } from "./copy-outcome.ts";
import { copySpecial } from "./copy-special.ts";
import type { Reading } from "./reading.ts";

/**
 * Copies one file, link or empty directory, and returns its outcome.
 * @throws storage errors that concern more than this file
 */
export async function copyFile(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
  try {
    // If no socket handle was available, retry: the file's handle has been released by now.
    return await awaitingHandles(() => copyEntry(entry, put, reading));
  } catch (error) {
    return errorOutcome(entry, error);
  }
}

async function copyEntry(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
  if (entry.kind !== "file") return await copySpecial(entry, put, reading);
  const quick = entry.size <= QUICK_SIZE ? await copyQuickly(entry, put, reading) : undefined;
  return quick ?? (await copyOpened(entry, put, reading));
}

/** Copies a small file that has not changed since it was listed; undefined for any other, which is copied the usual way. */
async function copyQuickly(
  { path, size }: Entry,
  put: Put,
  { realRoot }: Reading,
): Promise<Outcome | undefined> {
  return await readSmall(
    { realRoot, path, size },
    put.hash,
    async (file, content) => await put.content({ content, hash: file.hash, attributes: attributesOf(file) }),
  );
}
