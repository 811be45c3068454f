import type { BlobServiceClient } from "@azure/storage-blob";
import { QUICK_SIZE } from "../files/asks.ts";
import { awaitingHandles } from "../files/errors.ts";
import { readSmall } from "../files/file-thread.ts";
import { isAllowed } from "../files/roots.ts";
import { openBatch, type BatchRef } from "../ledger/part-record.ts";
import { settleBatch } from "../ledger/settle-batch.ts";
import { attributesOf, type Entry } from "../model/entry.ts";
import type { Outcome, Tally } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { openStore } from "../store/open-store.ts";
import type { Put } from "../store/storing.ts";
import { copyOpened, copySpecial, errorOutcome, type Reading } from "./copy-content.ts";
import type { CopyScope } from "./request.ts";
import { confirmVanished, RootGone } from "./vanished.ts";

/** Copies the files of one batch; see settleBatch. If the root disappears, what was copied before is recorded. */
export async function copyBatch(
  ref: BatchRef & CopyScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger, record) => {
    if (!(await isAllowed(ref.realRoot, settings.roots, settings.fileTimeoutMs)))
      return `The directory ${ref.realRoot} is outside the directories that BACKUP_ROOTS allows.`;
    const entries = await openBatch<Entry>(ledger, ref);
    const { part, realRoot } = ref;
    const { fileTimeoutMs } = settings;
    // The layout decides which files it takes together, and calls back for each.
    const outcomes = await openStore(ref, service, settings).put(ref, entries, budget, (each, put) =>
      copyFile(each, put, { realRoot, fileTimeoutMs, budget }),
    );
    try {
      const searched = { ledger, part, record, realRoot, fileTimeoutMs };
      return { outcomes: await confirmVanished(outcomes, searched) };
    } catch (error) {
      if (!(error instanceof RootGone)) throw error;
      const tried = outcomes.filter(({ outcome }) => outcome !== "vanished");
      return { outcomes: tried, stopped: error.message };
    }
  });
}

/**
 * Copies one file, link or empty directory, and returns its outcome.
 * @throws storage errors that concern more than this file
 */
async function copyFile(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
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
