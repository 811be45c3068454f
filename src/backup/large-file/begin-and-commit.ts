import type { BlobServiceClient } from "@azure/storage-blob";
import { isFinal } from "../../ledger/damaged.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { readTally, settleOutcomes } from "../../ledger/outcomes.ts";
import type { Settings } from "../../settings.ts";
import { describe, inWords } from "../../storage/errors.ts";
import { withRetries } from "../../storage/retries.ts";
import { blockId } from "../block-id.ts";
import { blobHeaders, blobMetadata } from "../blob-headers.ts";
import { contentOutcome, errorOutcome } from "../copy-outcome.ts";
import { openToCopy } from "../open-to-copy.ts";
import { blobName } from "../blob-name.ts";
import type { Entry } from "../entry.ts";
import { md5ToMatch, modeOf, mtimeOf } from "../entry.ts";
import { emptyTally, type Outcome, type Tally } from "../outcome.ts";
import { OldContent } from "../old-content.ts";
import { putBlob, Superseded } from "../put-blob.ts";
import { OpenFile } from "../read-file.ts";
import type { BackupRequest } from "../request.ts";
import { isAllowed } from "../roots.ts";
import { finishHash } from "../../storage/resumable-md5.ts";
import { openLarge, planAttempt, TooLarge, type AttemptRef, type LargeFileRef } from "./plan.ts";
import { withPlannedFile } from "./planned-file.ts";

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
    if (!isFinal(error)) throw inWords(error);
    return { settled: { ...emptyTally(), stopped: describe(error) } };
  }
}

async function begin(
  ref: AttemptRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Attempt | { settled: Tally }> {
  const ledger = new Ledger(service, ref.run);
  const before = await readTally(ledger, outcomeName(ref));
  if (before) return { settled: before };
  const { listing, entry } = await openLarge(ledger, ref);
  if (!(await isAllowed(listing.realRoot, settings.roots, settings.fileTimeoutMs))) {
    return {
      settled: await settle(ledger, ref, failure(entry, "its root is not one that BACKUP_ROOTS allows")),
    };
  }
  try {
    const file = await openToCopy(entry, {
      realRoot: listing.realRoot,
      fileTimeoutMs: settings.fileTimeoutMs,
    });
    try {
      await OpenFile.settle(file.stats);
      const { size, range, ranges } = await planAttempt(file, ref, ledger);
      const compare = size > 0 && mayBeUnchanged(listing.request, entry, size);
      return { size, range, ranges, ...(compare ? { compare } : {}) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof TooLarge)
      return { settled: await settle(ledger, ref, failure(entry, error.message)) };
    return { settled: await settle(ledger, ref, errorOutcome(entry, error)) };
  }
}

function mayBeUnchanged({ mode, checksum }: BackupRequest, entry: Entry, size: number): boolean {
  return mode === "incremental" && checksum && md5ToMatch(entry, size) !== undefined;
}

/** Makes the blob of the blocks that were sent, all at once, if the file is still the one they were read from. */
export async function commitAttempt(
  ref: AttemptRef & { state: string },
  service: BlobServiceClient,
  settings: Settings,
): Promise<{ settled: Tally } | "changed"> {
  const ledger = new Ledger(service, ref.run);
  const before = await readTally(ledger, outcomeName(ref));
  if (before) return { settled: before };
  let outcome: Outcome | undefined;
  const piece = await withPlannedFile(ledger, ref, settings, async (file, plan, { entry, listing }) => {
    const { container, prefix } = listing.request;
    const blob = service.getContainerClient(container).getBlockBlobClient(blobName(entry.path, prefix));
    const hash = await finishHash(ref.state);
    const [mtime, mode] = [mtimeOf(file.stats), modeOf(file.stats)];
    const ids = Array.from({ length: plan.blocks }, (_none, index) => blockId(plan.mark, index));
    const put = await putBlob(
      () => blob,
      { md5: hash.toString("base64"), size: plan.size, runId: ref.run, existing: entry.existing },
      (conditions) =>
        withRetries((abortSignal) =>
          blob.commitBlockList(ids, {
            abortSignal,
            conditions,
            metadata: blobMetadata(ref.run, { kind: entry.kind, mtime, mode }),
            blobHTTPHeaders: blobHeaders(entry.path, hash),
          }),
        ),
      new OldContent(ledger, listing.keep),
    ).catch((error: unknown) => {
      if (!(error instanceof Superseded)) throw error;
      outcome = failure(entry, error.message);
      return undefined;
    });
    if (put) outcome = contentOutcome(entry, put, mtime, mode, "copied");
  });
  if (piece === "changed" || !outcome) return "changed";
  return { settled: await settle(ledger, ref, outcome) };
}

/** Records that a large file could not be copied. */
export async function giveUp(ref: LargeFileRef, reason: string, service: BlobServiceClient): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const { entry } = await openLarge(ledger, ref);
  return await settle(ledger, ref, failure(entry, reason));
}

function failure(entry: Entry, reason: string): Outcome {
  return { path: entry.path, outcome: "failed", kind: entry.kind, size: 0, reason: reason.slice(0, 500) };
}

/** Records what became of a large file. */
export async function settle(ledger: Ledger, ref: LargeFileRef, outcome: Outcome): Promise<Tally> {
  return await settleOutcomes(ledger, outcomeName(ref), [outcome]);
}

/** The name of that record. */
export function outcomeName({ part, large }: LargeFileRef): string {
  return `outcomes/${part}-large-${String(large).padStart(4, "0")}.jsonl`;
}
