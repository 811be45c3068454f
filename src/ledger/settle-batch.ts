import type { BlobServiceClient } from "@azure/storage-blob";
import type { Entry } from "../model/entry.ts";
import { failed, stopped, type Outcome, type Tally } from "../model/outcome.ts";
import { describe } from "../storage/errors.ts";
import { isFinal } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { batchOutcomes } from "./names.ts";
import { readTally, settleOutcomes } from "./outcomes.ts";
import { openBatch, type BatchRef } from "./part-record.ts";

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

/** Records every file of a batch as failed, after every try of the batch has failed. */
export async function failBatch(
  { reason, ...ref }: BatchRef & { reason: string },
  service: BlobServiceClient,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const entries = await openBatch<Entry>(ledger, ref);
  const outcomes = entries.map((each) => failed(each, reason));
  return await settleOutcomes(ledger, batchOutcomes(ref), outcomes);
}
