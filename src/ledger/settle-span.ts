import type { BlobServiceClient } from "@azure/storage-blob";
import type { z } from "zod";
import type { Entry } from "../model/entry.ts";
import { emptyTally, failed, stopped, type Outcome, type Tally } from "../model/outcome.ts";
import { describe } from "../storage/errors.ts";
import { heartbeat } from "./alive.ts";
import { isFinal } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { largeOutcome } from "./names.ts";
import { readTally, settleOutcomes } from "./outcomes.ts";
import { openLarge, type LargeRef } from "./parts.ts";

/** How far a large file is: what one activity hands to the next. */
export interface Position {
  /** The try that this is, from 1; each begins at the start of the file. */
  attempt: number;
  /** Bytes before it are done. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
}

/** What an activity hands on that does a span of a large file: how far it is, what became of it, or that there is none. */
export type Step<Progress> = { progress: Progress; throttled?: number } | { settled: Tally } | "none";

/** How far a span came, what became of the file, or why nothing could be done, for people. */
export type SpanDone<Progress extends Position> = Progress | { outcomes: Outcome[] } | string;

/**
 * Does a span of a large file: as much as one activity may take. One that is recorded already is not read again: its tally
 * is given back, so that any number of deliveries counts the file once.
 * @param line what the lane's list has of each file
 * @returns the tally at the end; `stopped` in it says why the run cannot go on
 * @throws errors of the storage account that may pass: the span is to be tried again
 */
export async function settleSpan<Item, Progress extends Position>(
  ref: LargeRef & { progress?: Progress },
  service: BlobServiceClient,
  line: z.ZodType,
  work: (item: Item, ledger: Ledger) => Promise<SpanDone<Progress>>,
): Promise<Step<Progress>> {
  const ledger = new Ledger(service, ref.run);
  const record = largeOutcome(ref);
  try {
    const before = await readTally(ledger, record);
    if (before) return { settled: before };
    const item = await openLarge<Item>(ledger, ref, line);
    if (item === undefined) return "none";
    const done = await work(item, ledger);
    if (typeof done === "string") return { settled: stopped(done) };
    if ("outcomes" in done) return { settled: await settleOutcomes(ledger, record, done.outcomes) };
    await heartbeat(ledger, ref.progress?.position ?? 0, done.position);
    return { progress: done };
  } catch (error) {
    if (isFinal(error)) return { settled: stopped(describe(error)) };
    throw error;
  }
}

/** Records that a large file could not be tried, however often. */
export async function failLargeFile(
  { reason, ...ref }: LargeRef & { reason: string },
  service: BlobServiceClient,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const item = await openLarge<Entry>(ledger, ref);
  return item ? await settleOutcomes(ledger, largeOutcome(ref), [failed(item, reason)]) : emptyTally();
}
