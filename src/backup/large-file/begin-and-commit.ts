import type { BlobServiceClient } from "@azure/storage-blob";
import { whatHolds } from "../../model/held.ts";
import { isFinal } from "../../ledger/damaged.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { readTally, settleOutcomes } from "../../ledger/outcomes.ts";
import type { Settings } from "../../settings.ts";
import { describe } from "../../storage/errors.ts";
import { withRetries } from "../../storage/retries.ts";
import { blockId } from "../block-id.ts";
import { blobHeaders, blobMetadata } from "../../store/files/blob-headers.ts";
import { contentOutcome, errorOutcome } from "../copy-outcome.ts";
import { openToCopy } from "../open-to-copy.ts";
import { attributesOf, md5ToMatch } from "../../model/entry.ts";
import { failed, stopped, type Outcome, type Tally } from "../../model/outcome.ts";
import { OldContent } from "../../store/files/old-content.ts";
import { lookUp } from "../../store/files/look-up.ts";
import { BlocksGone, NotWritten } from "../../store/files/not-written.ts";
import { putBlob } from "../../store/files/put-blob.ts";
import { OpenFile } from "../../files/read-file.ts";
import { isAllowed } from "../../files/roots.ts";
import { confirmVanished, RootGone } from "../vanished.ts";
import { finishHash } from "../../storage/resumable-md5.ts";
import { largeBlob, openLarge, planAttempt, TooLarge, type AttemptRef, type LargeFileRef } from "./plan.ts";
import { withPlannedFile } from "./planned-file.ts";
import { largeOutcome } from "../../ledger/names.ts";

/** What the orchestration of a large file needs of its plan. */
export interface Attempt {
  size: number;
  /** Bytes of a range. */
  range: number;
  ranges: number;
  /** The blob there may have the same content: that is to be found out before anything is sent. */
  compare?: true;
}

/** Begins an attempt, or says what became of a file that cannot be copied (or was copied before). */
export async function beginAttempt(
  ref: AttemptRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Attempt | { settled: Tally }> {
  try {
    return await begin(ref, service, settings);
  } catch (error) {
    if (!isFinal(error) && !(error instanceof RootGone)) throw error;
    return { settled: stopped(describe(error)) };
  }
}

async function begin(
  ref: AttemptRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Attempt | { settled: Tally }> {
  const ledger = new Ledger(service, ref.run);
  const before = await readTally(ledger, largeOutcome(ref));
  if (before) return { settled: before };
  const entry = await openLarge(ledger, ref);
  if (!(await isAllowed(ref.realRoot, settings.roots, settings.fileTimeoutMs))) {
    return {
      settled: await settle(ledger, ref, failed(entry, "its root is not one that BACKUP_ROOTS allows")),
    };
  }
  try {
    const file = await openToCopy(entry, {
      realRoot: ref.realRoot,
      fileTimeoutMs: settings.fileTimeoutMs,
    });
    try {
      await OpenFile.settle(file.stats);
      const blob = largeBlob(service, ref, entry);
      const { size, range, ranges } = await planAttempt(file, blob, ref, ledger);
      const compare = size > 0 && md5ToMatch(entry, size) !== undefined;
      const held = entry.existing?.held && !compare ? (await lookUp(blob))?.held : undefined;
      if (held !== undefined) throw new NotWritten(`its blob ${whatHolds(held)}`);
      return { size, range, ranges, ...(compare ? { compare } : {}) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof TooLarge)
      return { settled: await settle(ledger, ref, failed(entry, error.message)) };
    const confirmed = await confirmVanished([errorOutcome(entry, error)], {
      ledger,
      part: ref.part,
      record: largeOutcome(ref),
      realRoot: ref.realRoot,
      fileTimeoutMs: settings.fileTimeoutMs,
    });
    return { settled: await settleOutcomes(ledger, largeOutcome(ref), confirmed) };
  }
}

/** Makes the blob of the blocks that were sent, all at once, if the file is still the one they were read from. */
export async function commitAttempt(
  ref: AttemptRef & { state: string },
  service: BlobServiceClient,
  settings: Settings,
): Promise<{ settled: Tally } | "changed"> {
  const ledger = new Ledger(service, ref.run);
  const before = await readTally(ledger, largeOutcome(ref));
  if (before) return { settled: before };
  let outcome: Outcome | undefined;
  const piece = await withPlannedFile(ledger, ref, settings, async (file, plan, entry) => {
    const blob = largeBlob(service, ref, entry);
    const hash = await finishHash(ref.state);
    const attributes = attributesOf(file.stats);
    const metadata = blobMetadata(entry, attributes, { runId: ref.run, root: ref.root });
    const ids = Array.from({ length: plan.blocks }, (_none, index) => blockId(plan.mark, index));
    const blobHTTPHeaders = blobHeaders(entry.path, hash);
    try {
      const put = await putBlob(
        () => blob,
        { md5: hash.toString("base64"), size: plan.size, entry, runId: ref.run },
        (conditions) =>
          withRetries((abortSignal) =>
            blob.commitBlockList(ids, { abortSignal, conditions, metadata, blobHTTPHeaders }),
          ),
        new OldContent(ledger, ref.keep),
      );
      outcome = contentOutcome(entry, put, attributes);
    } catch (error) {
      // Without an outcome a new attempt sends them again.
      if (!(error instanceof BlocksGone)) outcome = errorOutcome(entry, error);
    }
  });
  if (piece === "changed" || !outcome) return "changed";
  return { settled: await settle(ledger, ref, outcome) };
}

/** Records that a large file could not be copied. */
export async function giveUp(ref: LargeFileRef, reason: string, service: BlobServiceClient): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const entry = await openLarge(ledger, ref);
  return await settle(ledger, ref, failed(entry, reason));
}

/** Records what became of a large file. */
export async function settle(ledger: Ledger, ref: LargeFileRef, outcome: Outcome): Promise<Tally> {
  return await settleOutcomes(ledger, largeOutcome(ref), [outcome]);
}
