import type { BlobServiceClient } from "@azure/storage-blob";
import { stopped, type Outcome, type Tally } from "../model/outcome.ts";
import type { Budget } from "../storage/budget.ts";
import { describe } from "../storage/errors.ts";
import { isFinal } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import type { BatchRef } from "./parts.ts";
import { readTally, settleOutcomes } from "./outcomes.ts";
import { batchOutcomes } from "./names.ts";

/** A batch's outcomes, and why the rest was not tried; or only a message that says why nothing was done. */
type BatchDone = { outcomes: Outcome[]; stopped?: string | undefined } | string;

/**
 * Does a batch and records its outcomes. A batch that is recorded already is not done again, so that any number of deliveries
 * counts each file once.
 * @param work does it; `record` is the name of its outcomes
 * @returns the tally, with `stopped` if the run cannot continue
 * @throws transient storage errors, after which the whole batch can be tried again
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
 * Works on the items of a batch, with as much concurrency as the budget allows.
 * @throws the first error; items not begun by then are left for the next try
 */
export async function forEachItem<Item>(
  items: readonly Item[],
  budget: Budget,
  work: (item: Item) => Promise<Outcome | undefined>,
): Promise<Outcome[]> {
  let failure: { error: unknown } | undefined;
  const attempt = (item: Item) => work(item).catch((error: unknown) => void (failure ??= { error }));
  const outcomes = await Promise.all(
    items.map((item) => budget.file(async () => (failure ? undefined : await attempt(item)))),
  );
  if (failure) throw failure.error;
  return outcomes.filter((outcome) => outcome !== undefined);
}
