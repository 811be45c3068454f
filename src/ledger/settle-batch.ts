import type { BlobServiceClient } from "@azure/storage-blob";
import { stopped, type Outcome, type Tally } from "../model/outcome.ts";
import type { Budget } from "../storage/budget.ts";
import { describe } from "../storage/errors.ts";
import { isFinal } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import type { BatchRef } from "./parts.ts";
import { readTally, settleOutcomes } from "./outcomes.ts";
import { batchOutcomes } from "./names.ts";

/** What became of a batch's items, and why the rest was not tried; or only why nothing was, for people. */
export type BatchDone = { outcomes: Outcome[]; stopped?: string | undefined } | string;

/**
 * Does a batch and records its outcomes. One that is recorded already is not done again: its tally is given back, so that
 * any number of deliveries counts each file once.
 * @param work does it; `record` is the name that its outcomes get
 * @returns the tally; `stopped` says why the run cannot go on
 * @throws errors of the storage account that may pass: the whole batch is to be tried again
 */
export async function settleBatch(
  ref: BatchRef,
  service: BlobServiceClient,
  work: (ledger: Ledger, record: string) => Promise<BatchDone>,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const record = batchOutcomes(ref);
  try {
    const before = await readTally(ledger, record);
    if (before !== undefined) return before;
    const done = await work(ledger, record);
    if (typeof done === "string") return stopped(done);
    return await settleOutcomes(ledger, record, done.outcomes, done.stopped);
  } catch (error) {
    if (isFinal(error)) return stopped(describe(error));
    throw error;
  }
}

/**
 * Does something with each item of a batch, as many at a time as the budget allows. After the first error the other items
 * are left for the next try.
 * @throws that error
 */
export async function forEachItem<Item>(
  items: readonly Item[],
  budget: Budget,
  work: (item: Item) => Promise<Outcome>,
): Promise<Outcome[]> {
  let failure: unknown;
  const all = items.map((item) =>
    budget.file(async () => {
      if (failure !== undefined) return undefined;
      try {
        return await work(item);
      } catch (error) {
        failure ??= error;
        return undefined;
      }
    }),
  );
  const outcomes = await Promise.all(all);
  if (failure !== undefined) throw failure;
  return outcomes.filter((outcome) => outcome !== undefined);
}
