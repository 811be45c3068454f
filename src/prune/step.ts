import type { BlobServiceClient } from "@azure/storage-blob";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { PartProblem } from "../ledger/part-kind.ts";
import { LockLost, PruneLock } from "../ledger/prune-lock.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { emptyTally, type Tally } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { describe } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { openStore } from "../store/open-store.ts";
import type { Erase } from "../store/pruning.ts";
import type { Place, Store } from "../store/store.ts";
import { readDecision, type Decision } from "./decision.ts";

/** What a prune may delete. Activities get it from the orchestration, never from a record. */
export interface PruneScope extends Place {
  dryRun: boolean;
  /** The decision's hash; see Standing. */
  decision: string;
}

/**
 * A piece of a prune's work: the input of an activity. Each kind of work is done in lanes, in parallel, and a lane in slices,
 * one after the other, each small enough for one activity. What a slice covers follows from the decision and from what is
 * settled already, so it is the same in each delivery.
 */
export interface Slice extends PruneScope {
  run: string;
  lane: number;
  slice: number;
}

export interface SliceResult {
  tally: Tally;
  /** This was the lane's last slice. */
  done: boolean;
  /** The slice's time was up: call it again. */
  again?: true;
}

/** What each kind of work is given. */
export interface Prune {
  ledger: Ledger;
  scope: PruneScope;
  decision: Decision;
  /** The store of the destination, and that of another prefix in the container, whose runs may need the same contents. */
  store: Store;
  storeAt: (prefix: string) => Store;
  service: BlobServiceClient;
  budget: Budget;
  /** Undefined in a dry run, so that nothing in it can delete. */
  erase: Erase | undefined;
  /** Whether the prune was canceled, as of a second ago at most. Work in progress is then finished, and none begun. */
  isCanceled: () => Promise<boolean>;
}

/** Milliseconds between reads of the run's record, so that not every delete costs another request. */
const CANCEL_EVERY = 1_000;

/**
 * Does one slice, holding the lock of the destination.
 * @returns a tally with `stopped` if the prune cannot continue
 * @throws transient storage errors, after which the slice can be tried again
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
    if (!standing) throw new Error(`The record of the run ${run} has no decision.`);
    const { container, prefix, layout, dryRun } = scope;
    const lock = dryRun ? undefined : new PruneLock(service, { id: run, container, prefix });
    await lock?.ensure();
    const erase = lock && eraser(lock, budget);
    const { decision } = standing;
    const storeAt = (at: string): Store => openStore({ container, prefix: at, layout }, service, settings);
    const store = storeAt(prefix);
    const tools = { store, storeAt, service, budget, erase, isCanceled: canceled };
    return await work({ ledger, scope, decision, ...tools }, lane, slice);
  } catch (error) {
    if (error instanceof LockLost || error instanceof PartProblem) return stopped(error.message);
    if (isFinal(error)) return stopped(describe(error));
    throw error;
  }
}

/** Checks the lock before each delete, so that no backup begins meanwhile. */
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

/** The result of a slice after which the prune cannot continue. */
export function stopped(problem: string): SliceResult {
  return { tally: { ...emptyTally(), stopped: problem }, done: true };
}
