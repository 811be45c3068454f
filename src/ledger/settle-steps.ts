import type { BlobServiceClient } from "@azure/storage-blob";
import type { z } from "zod";
import type { Entry } from "../model/entry.ts";
import { emptyTally, failed, stopped, type Outcome, type Tally } from "../model/outcome.ts";
import { describe } from "../storage/errors.ts";
import { heartbeat } from "./alive.ts";
import { isFinal, readRecord } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { largeOutcome } from "./names.ts";
import { readTally, settleOutcomes } from "./outcomes.ts";
import { openLarge, type LargeRef } from "./part-record.ts";

/** How far a large file is done: what one activity passes on to the next. */
export interface Position {
  /** The number of this try, from 1; each begins at the start of the file. */
  attempt: number;
  /** Bytes done. */
  position: number;
  /** The hash's state at `position`; see resumeMd5. */
  state?: string;
}

/** The result of a span's activity: how far the file is done, its tally, or "none" if the lane has no such file. */
export type Step<Progress> = { progress: Progress; throttled?: number } | { settled: Tally } | "none";

/** How far a span got, the file's outcome, or a message that says why nothing could be done. */
export type SpanDone<Progress extends Position> = Progress | { outcomes: Outcome[] } | string;

/** Work done in slices, one after the other. */
interface SliceKind<Slice> {
  /** The name of a slice's record. */
  nameOf: (slice: number) => string;
  record: z.ZodType;
  /** A slice in which nothing was done, without its tally. */
  nothing: Omit<Slice, "tally">;
}

/**
 * Does a span of a large file: as much as fits in one activity. A file that is recorded already is not read again, so that any
 * number of deliveries counts it once.
 * @param line the schema of the lane's list
 * @returns at the end the tally, with `stopped` if the run cannot continue
 * @throws transient storage errors, after which the span can be tried again
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

/** Records a large file as failed, after every try of an activity has failed. */
export async function failLargeFile(
  { reason, ...ref }: LargeRef & { reason: string },
  service: BlobServiceClient,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const item = await openLarge<Entry>(ledger, ref);
  return item ? await settleOutcomes(ledger, largeOutcome(ref), [failed(item, reason)]) : emptyTally();
}

/**
 * Does a slice and records it, unless another delivery has.
 * @param work does it, given the slice before; or returns only a message that says why nothing was done
 * @returns the slice that stands, with `stopped` in its tally if the run cannot continue
 * @throws transient storage errors, after which the slice can be tried again
 */
export async function settleSlice<Slice extends { tally: Tally }>(
  ledger: Ledger,
  slice: number,
  { nameOf, record, nothing }: SliceKind<Slice>,
  work: (last: Slice | undefined) => Promise<Slice | string>,
): Promise<Slice> {
  const read = async (number: number): Promise<Slice | undefined> => {
    const text = await ledger.read(nameOf(number));
    return text === undefined ? undefined : readRecord(text, record, `${ledger.runId}/${nameOf(number)}`);
  };
  const stop = (problem: string): Slice => ({ ...nothing, tally: stopped(problem) }) as Slice;
  try {
    const before = await read(slice);
    if (before) return before;
    const done = await work(slice === 0 ? undefined : await read(slice - 1));
    if (typeof done === "string") return stop(done);
    const { won } = await ledger.writeOnce(nameOf(slice), JSON.stringify(done));
    return won ? done : ((await read(slice)) ?? done);
  } catch (error) {
    if (isFinal(error)) return stop(describe(error));
    throw error;
  }
}
