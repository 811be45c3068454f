import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../storage/budget.ts";
import { emptyTally, type Tally } from "../model/outcome.ts";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { LockLost, PruneLock } from "../ledger/prune-lock.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { withRetries } from "../storage/retries.ts";
import { describe } from "../storage/errors.ts";
import type { Settings } from "../settings.ts";
import { openStore } from "../store/open-store.ts";
import type { Erase, Store } from "../store/store.ts";
import { readDecision, type Decision } from "./decision.ts";

/** What a prune may delete: what its activities are given by the orchestration, and take from no record. */
export interface PruneScope {
  container: string;
  prefix: string;
  dryRun: boolean;
  /** The hash of the decision that all of it follows from; see Standing. */
  decision: string;
}

/**
 * A piece of a prune's work, as an activity is given it. Each kind of work is done in lanes, side by side, and a lane in
 * slices, one after the other, each small enough for one activity. What a slice is about follows from the decision and
 * from what was settled before, so that it is the same however often it is delivered.
 */
export interface Slice extends PruneScope {
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
  scope: PruneScope;
  decision: Decision;
  /** The contents of its destination, and those of another prefix in the container, of which runs may need some as well. */
  store: Store;
  storeAt: (prefix: string) => Store;
  service: BlobServiceClient;
  budget: Budget;
  /** A dry run has none: nothing in it can delete. */
  erase: Erase | undefined;
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
export async function runSlice(
  { run, lane, slice, ...scope }: Slice,
  work: (prune: Prune, lane: number, slice: number) => Promise<SliceResult>,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<SliceResult> {
  const ledger = new Ledger(service, run);
  try {
    const canceled = cancellation(ledger);
    if (await canceled()) return { tally: emptyTally(), done: true };
    const standing = await readDecision(ledger, scope.decision);
    if (!standing) throw new Error(`The ledger of run ${run} has no decision.`);
    const { container, prefix, dryRun } = scope;
    const lock = dryRun ? undefined : new PruneLock(service, { id: run, container, prefix });
    await lock?.ensure();
    const erase = lock && eraser(lock, budget);
    const { decision } = standing;
    const storeAt = (at: string): Store => openStore({ container, prefix: at }, service, settings);
    const store = storeAt(prefix);
    const tools = { store, storeAt, service, budget, erase, isCanceled: canceled };
    return await work({ ledger, scope, decision, ...tools }, lane, slice);
  } catch (error) {
    if (error instanceof LockLost) return stopped(error.message);
    if (isFinal(error)) return stopped(describe(error));
    throw error;
  }
}

/** The lock is looked at before each delete, so that no backup begins meanwhile. */
function eraser(lock: PruneLock, budget: Budget): Erase {
  return async (blob, how) =>
    await budget.request(() =>
      withRetries(async (abortSignal) => {
        await lock.ensure();
        await blob.deleteIfExists({ ...how, abortSignal });
      }),
    );
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
