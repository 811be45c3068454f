import type { z } from "zod";
import { stopped, type Tally } from "../model/outcome.ts";
import { describe } from "../storage/errors.ts";
import { isFinal, readRecord } from "./damaged.ts";
import type { Ledger } from "./ledger.ts";

/** Work done in slices, one after the other. */
export interface SliceKind<Slice> {
  /** The name of a slice's record. */
  nameOf: (slice: number) => string;
  record: z.ZodType;
  /** A slice in which nothing was done, without its tally. */
  nothing: Omit<Slice, "tally">;
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
