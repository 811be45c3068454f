import { constants } from "node:fs";
import { lstat, open, readdir, rename, unlink } from "node:fs/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../../storage/budget.ts";
import { failed, stopped, emptyTally, type Outcome, type Tally } from "../../model/outcome.ts";
import { ignore, type PinnedDirectory } from "../../files/pinned-directory.ts";
import { withTimeout } from "../../files/timeout.ts";
import { readTally, settleOutcomes } from "../../ledger/outcomes.ts";
import type { Settings } from "../../settings.ts";
import { finishHash } from "../../storage/resumable-md5.ts";
import { finish } from "../attributes.ts";

import { hasTime } from "../../files/file-times.ts";
import { findContents } from "../../store/files/find-content.ts";
import type { LargeRef } from "../../ledger/parts.ts";
import type { RestoreContext } from "../restore-context.ts";
import { CannotWrite, explainFull } from "../restore-error.ts";
import { restoreItem } from "../restore-file.ts";
import { isTemporaryOf, temporaryName } from "../temporary-name.ts";
import { openLargeRestore, readAttempt, refusalOf, settleAttempt } from "./attempt.ts";
import type { LargeRestore, LargeRestoreRef, RestoreAttemptRef } from "./attempt.ts";
import { largeOutcome } from "../../ledger/names.ts";

/** What the orchestration of a large file needs to know; "none" where there is no such file, or it was canceled. */
export type Begun = { size: number; range: number; ranges: number } | { settled: Tally } | "none";

/** Bytes of a range: one activity's work, half a minute even at 4 MiB/s. */
export const RANGE = 128 * 1024 * 1024;

/**
 * Begins an attempt: makes the temporary file beside the file's place, or says what became of a file for which there is
 * nothing to fetch.
 */
export async function beginRestore(
  ref: RestoreAttemptRef,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Begun> {
  const large = await openLargeRestore(ref, service, settings, budget);
  if (!large || large.canceled) return "none";
  const { ledger, item, context } = large;
  const before = await readTally(ledger, largeOutcome(ref));
  if (before) return { settled: before };
  const work = { size: item.size, range: RANGE, ranges: Math.ceil(item.size / RANGE) };
  const refused = await refusalOf(large, settings);
  if (refused !== undefined) return { settled: stopped(refused) };
  if (await readAttempt(large, ref)) return work;
  let { source } = item;
  if (ref.attempt > 1) {
    const found = (await findContents(context.requests, context.prefix, [item])).get(item);
    if (!found || "lost" in found)
      return { settled: await lose(large, ref, found?.lost ?? "its blob is missing", settings) };
    ({ source } = found);
  }
  let begun = false;
  const outcome = await restore(large, async (_item, directory) => {
    await removeTemporaries(directory, context);
    const { temporary } = await settleAttempt(large, ref, {
      temporary: temporaryName(context.mark),
      source,
    });
    const flags = constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const making = async (): Promise<void> => {
      const handle = await open(directory.path(temporary), flags, 0o600);
      await handle.close();
    };
    await withTimeout(making(), settings.fileTimeoutMs, "creating it");
    begun = true;
  });
  return begun && outcome.outcome === "copied" ? work : { settled: await settle(large, ref, outcome) };
}

/**
 * Ends an attempt: checks the hash of what was written, makes it last, and renames it into its place.
 * @returns "again" when what was written is not what the run recorded, or is gone
 */
export async function endRestore(
  ref: RestoreAttemptRef & { state: string },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<{ settled: Tally } | "again"> {
  const large = await openLargeRestore(ref, service, settings, budget);
  const attempt = large && (await readAttempt(large, ref));
  if (!large || !attempt)
    throw new Error(`The ledger of run ${ref.run} has no large file ${ref.large} of ${ref.part}.`);
  const before = await readTally(large.ledger, largeOutcome(ref));
  if (before) return { settled: before };
  const { item, canceled } = large;
  const refused = await refusalOf(large, settings);
  if (refused !== undefined) return { settled: stopped(refused) };
  if (canceled) {
    await discard(large, settings);
    return { settled: emptyTally() };
  }
  if ((await finishHash(ref.state)).toString("base64") !== item.md5) return "again";
  let gone = false;
  const outcome = await restore(large, async (_item, directory, at) => {
    const placing = async (): Promise<string | undefined> => {
      const flags = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0);
      const handle = await open(directory.path(attempt.temporary), flags);
      let note: string | undefined;
      try {
        note = await finish(handle, item, large.context);
      } finally {
        await handle.close();
      }
      await rename(directory.path(attempt.temporary), at);
      await directory.sync().catch(() => undefined);
      return note;
    };
    try {
      return await withTimeout(placing(), settings.fileTimeoutMs, "flushing it");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // Another delivery of this may have renamed it.
      const now = await lstat(at).catch(() => undefined);
      gone = !(now?.isFile() && now.size === item.size && hasTime(now, item.mtime));
    }
  });
  if (gone) return "again";
  // With "changed" another delivery's rename makes the file one that is as it should be: it was restored all the same.
  return {
    settled: await settle(
      large,
      ref,
      outcome.outcome === "unchanged" ? { ...outcome, outcome: "copied" } : outcome,
    ),
  };
}

/** Records that a large file could not be restored, and removes what was written of it. */
export async function giveUpRestore(
  ref: LargeRestoreRef & { reason: string },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  const large = await openLargeRestore(ref, service, settings, budget);
  if (!large) return emptyTally();
  return await lose(large, ref, ref.reason, settings);
}

/** Settles a file as failed, without what attempts at it have written. */
async function lose(large: LargeRestore, ref: LargeRef, reason: string, settings: Settings): Promise<Tally> {
  await discard(large, settings);
  return await settle(large, ref, failed(large.item, reason));
}

/** Removes what attempts at a file have written, as far as that can be done. */
async function discard(large: LargeRestore, settings: Settings): Promise<void> {
  try {
    if ((await refusalOf(large, settings)) !== undefined) return;
    await restore(large, (_item, directory) => removeTemporaries(directory, large.context));
  } catch {
    // What became of the file counts, and is told.
  }
}

async function removeTemporaries(
  directory: PinnedDirectory,
  { mark, fileTimeoutMs }: RestoreContext,
): Promise<void> {
  const removing = async (): Promise<void> => {
    for (const name of await readdir(directory.path("."))) {
      if (isTemporaryOf(mark, name)) await unlink(directory.path(name)).catch(ignore("ENOENT"));
    }
  };
  await withTimeout(removing(), fileTimeoutMs, "removing what was written before");
}

/** Restores the item by another way of writing it; a disk that is full is an outcome. */
async function restore(
  { item, context, scope }: LargeRestore,
  write: NonNullable<Parameters<typeof restoreItem>[2]>,
): Promise<Outcome> {
  try {
    return await restoreItem(item, context, write);
  } catch (error) {
    if (error instanceof CannotWrite) return failed(item, explainFull(error.code, scope.target));
    throw error;
  }
}

async function settle({ ledger }: LargeRestore, ref: LargeRef, outcome: Outcome): Promise<Tally> {
  return await settleOutcomes(ledger, largeOutcome(ref), [outcome]);
}
