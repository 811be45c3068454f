import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../backup/budget.ts";
import { emptyTally, type Tally } from "../backup/outcome.ts";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { LockLost, PruneLock } from "../ledger/prune-lock.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { tellThrottled } from "../storage/throttling.ts";
import { describe, inWords } from "../storage/errors.ts";
import { readDecision, type Decision } from "./decision.ts";

/**
 * A piece of a prune's work, as an activity is given it. Each kind of work is done in lanes, side by side, and a lane in
 * slices, one after the other, each small enough for one activity. What a slice is about follows from the decision and
 * from what was settled before, so that it is the same however often it is delivered.
 */
export interface Slice {
  run: string;
  lane: number;
  slice: number;
}

export interface SliceResult {
  tally: Tally;
  /** The lane has no further slice. */
  done: boolean;
  /** The slice's time was up: it goes on where it was. */
  again?: true;
}

/** What the work of a prune needs. */
export interface Prune {
  ledger: Ledger;
  decision: Decision;
  service: BlobServiceClient;
  budget: Budget;
  /** To be called before each delete, so that no backup begins meanwhile. @throws LockLost */
  ensureLock: () => Promise<void>;
  /** Whether the prune was canceled, as it was a second ago: what is under way is finished then, and no more begun. */
  isCanceled: () => Promise<boolean>;
}

/** Milliseconds; a slice may delete for minutes, and is not to ask before each blob. */
const CANCEL_EVERY = 1_000;

/**
 * Does one slice, holding the lock of the destination.
 * @returns a tally that says `stopped` where the prune cannot go on
 * @throws errors of the storage account that may pass: the slice is to be tried again
 */
export async function workOn(
  { run, lane, slice }: Slice,
  work: (prune: Prune, lane: number, slice: number) => Promise<SliceResult>,
  service: BlobServiceClient,
  budget: Budget,
): Promise<SliceResult> {
  const ledger = new Ledger(service, run);
  try {
    const canceled = cancellation(ledger);
    if (await canceled()) return { tally: emptyTally(), done: true };
    const decision = await readDecision(ledger);
    if (!decision) throw new Error(`The ledger of run ${run} has no decision.`);
    const { container, prefix, dryRun } = decision.request;
    const lock = new PruneLock(service, { id: run, container, prefix });
    const ensureLock = async () => (dryRun ? undefined : await lock.ensure());
    await ensureLock();
    const prune = { ledger, decision, service, budget, ensureLock, isCanceled: canceled };
    const { throttled, tally, ...next } = await tellThrottled(() => work(prune, lane, slice));
    return { tally: throttled === undefined ? tally : { ...tally, throttled }, ...next };
  } catch (error) {
    if (error instanceof LockLost) return stopped(error.message);
    if (isFinal(error)) return stopped(describe(error));
    throw inWords(error);
  }
}

function cancellation(ledger: Ledger): () => Promise<boolean> {
  let asked = -Infinity;
  let answer = Promise.resolve(false);
  return async () => {
    if (performance.now() >= asked + CANCEL_EVERY) {
      asked = performance.now();
      answer = isCanceled(ledger);
    }
    return await answer;
  };
}

/** The result of a slice after which the prune cannot go on, and why. */
export function stopped(problem: string): SliceResult {
  return { tally: { ...emptyTally(), stopped: problem }, done: true };
}
