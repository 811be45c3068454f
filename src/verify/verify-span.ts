import type { BlobServiceClient } from "@azure/storage-blob";
import { blobName } from "../model/blob-name.ts";
import type { Budget } from "../storage/budget.ts";
import { failed, stopped, emptyTally, type Outcome, type Tally } from "../model/outcome.ts";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { heartbeat } from "../ledger/alive.ts";
import { readTally, settleOutcomes } from "../ledger/outcomes.ts";
import { downloadFrom } from "../store/files/download.ts";
import type { Source } from "../model/source.ts";
import { openLarge, type LargeRef } from "../ledger/parts.ts";
import { plannedItem, type PlannedItem } from "../manifest/planned-item.ts";
import type { Settings } from "../settings.ts";
import { describe } from "../storage/errors.ts";
import { GetBlobRequests } from "../storage/get-blob-request.ts";
import { resumeMd5, stateOf } from "../storage/resumable-md5.ts";
import { verified } from "./plan-verify.ts";
import { corrupt, lookAgain, TRIES } from "./verify-batch.ts";
import type { VerifyScope } from "./verify-scope.ts";
import { largeOutcome } from "../ledger/names.ts";

/** How far a large file is read: what one activity hands to the next. */
export interface Reading {
  /** Bytes before it are read. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
  /** The try this is, from 1; each reads from the start. */
  tries: number;
  /** Where the content is now, when that is not where the plan found it. */
  source?: Source;
}

/** What is left to read, what came of the file, or that there is no such file. */
export type SpanVerified = { reading: Reading } | { settled: Tally } | "none";

/** Where one activity ends: bytes as a restore's range has, and well within the five minutes that a function has. */
const SPAN = { bytes: 128 * 1024 * 1024, ms: 60_000 };

/**
 * Reads on in a large file and hashes what it reads; at the end compares the hash. A file that was settled before is not
 * read again.
 * @returns `stopped` is set in the tally when storage refuses
 * @throws errors of the storage account that may pass
 */
export async function verifySpan(
  ref: LargeRef & VerifyScope & { reading?: Reading },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<SpanVerified> {
  const ledger = new Ledger(service, ref.run);
  try {
    const before = await readTally(ledger, largeOutcome(ref));
    if (before) return { settled: before };
    const item = await openLarge<PlannedItem>(ledger, ref, plannedItem);
    if (!item) return "none";
    const requests = new GetBlobRequests(service.getContainerClient(ref.container), settings.behindProxy);
    const read = await readNext(item, ref.prefix, ref.reading ?? { position: 0, tries: 1 }, requests, budget);
    if ("position" in read) {
      await heartbeat(ledger, ref.reading?.position ?? 0, read.position);
      return { reading: read };
    }
    return { settled: await settleOutcomes(ledger, largeOutcome(ref), [read]) };
  } catch (error) {
    if (isFinal(error)) return { settled: stopped(describe(error)) };
    throw error;
  }
}

async function readNext(
  item: PlannedItem,
  prefix: string,
  { position, state, tries, source = item.source }: Reading,
  requests: GetBlobRequests,
  budget: Budget,
): Promise<Reading | Outcome> {
  const content = { requests, name: blobName(item.path, prefix), source };
  const hash = await resumeMd5(state);
  const until = performance.now() + SPAN.ms;
  const more = (reached: number) => reached - position < SPAN.bytes && performance.now() < until;
  try {
    const reached = await downloadFrom(content, budget, { from: position, more }, async (some) => {
      hash.update(some);
    });
    if (reached < source.length) return { position: reached, state: stateOf(hash), tries, source };
  } catch (error) {
    const next = await lookAgain(error, tries === TRIES, item, prefix, requests);
    return "outcome" in next ? next : { position: 0, tries: tries + 1, source: next.source };
  }
  const md5 = Buffer.from(hash.digest("binary")).toString("base64");
  if (md5 === item.md5) return verified(item);
  return tries === TRIES ? corrupt(item, md5) : { position: 0, tries: tries + 1, source };
}

/** Records that a large file could not be read, however often that was tried. */
export async function giveUpVerify(
  { reason, ...ref }: LargeRef & { reason: string },
  service: BlobServiceClient,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const item = await openLarge<PlannedItem>(ledger, ref, plannedItem);
  if (!item) return emptyTally();
  return await settleOutcomes(ledger, largeOutcome(ref), [failed(item, reason)]);
}
