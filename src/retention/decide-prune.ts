import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { emptyTally, type Outcome, type Tally } from "../backup/outcome.ts";
import { LEDGER_CONTAINER } from "../storage/ledger-container.ts";
import { beingStarted } from "../ledger/destination-claim.ts";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { PruneLock } from "../ledger/prune-lock.ts";
import { markForgotten, openRun, readRun } from "../ledger/run-record.ts";
import { describe, inWords } from "../storage/errors.ts";
import { chooseRuns, lingers, type Choice, type Verdict } from "./choose-runs.ts";
import { readDecision, settleDecision, type Decision } from "./decision.ts";
import { isBackup, knownRuns, type KnownRun } from "./known-runs.ts";
import { listManifests } from "./list-manifests.ts";
import { readRuns } from "./read-runs.ts";
import { recordsToGo } from "./records-to-go.ts";
import type { PruneRequest } from "./request.ts";

/** Records that are marked at a time. */
const MARKS = 16;

/**
 * Decides once which runs are forgotten, and marks them, so that nobody restores them any more. From then on what is
 * needed cannot grow: the lock keeps backups out, and a restore reads only what is not marked.
 */
export async function decidePrune(
  { run, request, app }: { run: string; request: PruneRequest; app?: string },
  service: BlobServiceClient,
): Promise<{ decision: Decision; found: Tally }> {
  const ledger = new Ledger(service, run);
  try {
    const decision = (await readDecision(ledger)) ?? (await decide(ledger, request, app));
    // Marks of runs that were chosen first and turned out to be read. A damaged record cannot have been marked.
    const unmarked = decision.kept.filter(({ started }) => started !== undefined);
    if (!request.dryRun) await mark(unmarked, false, ledger);
    const found = await settleOutcomes(ledger, "outcomes/kept.jsonl", decision.kept.map(stays));
    return { decision, found };
  } catch (error) {
    if (!isFinal(error)) throw inWords(error);
    const decision = { version: 1, request, ...NOTHING, problem: describe(error) } as const;
    return { decision, found: emptyTally() };
  }
}

/** A run that stays, as a line of the prune's outcomes. */
function stays({ id, started = "an unknown time", reasons }: Verdict): Outcome {
  const reason = `the run of ${started} stays: ${reasons.join(", ")}`;
  return { path: `${LEDGER_CONTAINER}/${id}`, outcome: "unchanged", kind: "other", size: 0, reason };
}

async function decide(ledger: Ledger, request: PruneRequest, app: string | undefined): Promise<Decision> {
  const { service, runId: self } = ledger;
  const { container, prefix, dryRun } = request;
  const place = { root: "", container, prefix, mode: "full" } as const;
  await openRun(ledger, place, {
    kind: "prune",
    ...(dryRun ? { dryRun } : {}),
    ...(app === undefined ? {} : { app }),
  });
  const nothing: Decision = { version: 1, request, ...NOTHING };
  const settle = (more: Partial<Decision>) => settleDecision(ledger, { ...nothing, ...more });

  const lock = new PruneLock(service, { id: self, container, prefix });
  const other = dryRun ? undefined : await lock.take();
  if (other !== undefined) {
    return await settle({
      problem:
        other.run === undefined
          ? `Another prune of ${container} is just ending. Try again in a minute.`
          : `The prune ${other.run} is at work on ${container}. ${WAIT}`,
    });
  }
  // Since this delivery looked another may have decided, and the prune may even be over.
  const before = await readDecision(ledger);
  if (before) {
    if (!dryRun && (await readRun(ledger))?.finished !== undefined) await lock.release();
    return before;
  }
  const runs = (await knownRuns(service, request)).filter(({ id }) => id !== self);
  const problem = await busyWith(runs, request, service);
  if (problem !== undefined) return await settle({ problem });

  const now = new Date();
  const readers = await readRuns(service);
  let choice = choose(runs, request, readers, self, now);
  const marked = choice.forgotten;
  if (!dryRun && choice.forgotten.length > 0) {
    await mark(marked, true, ledger);
    // A reader opens its record and then looks for the mark: one that did not see it is seen now.
    choice = choose(runs, request, new Set([...readers, ...(await readRuns(service))]), self, now);
  }
  const backups = runs.filter(isBackup);
  const forgotten = new Set(choice.forgotten.map(({ id }) => id));
  const standing = await settle({
    ...choice,
    staying: backups.map(({ id }) => id).filter((id) => !forgotten.has(id)),
    lingering: backups.some((run) => lingers(run, now)),
    records: recordsToGo(runs, choice, prefix),
    ...(forgotten.size > 0 ? await listManifests(backups, forgotten, ledger) : {}),
  });
  if (!dryRun) {
    // What this delivery marked and the decision that stands does not know of: runs that began since it was made.
    const known = new Set(standing.forgotten.map(({ id }) => id));
    await mark(
      marked.filter(({ id }) => !known.has(id)),
      false,
      ledger,
    );
  }
  return standing;
}

const NOTHING = {
  kept: [],
  forgotten: [],
  staying: [],
  lingering: false,
  records: [],
  manifests: [],
  partitions: 1,
};
const WAIT = "Wait until it ends, or cancel it.";

/** Why nothing can be pruned now, for people. */
async function busyWith(
  runs: readonly KnownRun[],
  place: PruneRequest,
  service: BlobServiceClient,
): Promise<string | undefined> {
  const active = runs.find(({ kind, status }) => kind === "backup" && status === "running");
  if (active) return `The run ${active.id} is backing up to the same place. ${WAIT}`;
  const starting = await beingStarted(service, place);
  if (starting === undefined || runs.some(({ id }) => id === starting)) return undefined;
  return `The run ${starting} is just beginning to back up to the same place. ${WAIT}`;
}

function choose(
  runs: readonly KnownRun[],
  request: PruneRequest,
  readers: ReadonlySet<string>,
  self: string,
  now: Date,
): Choice {
  const { container: _container, prefix, dryRun: _dryRun, ...policy } = request;
  const own = runs
    .filter((run) => isBackup(run) && run.prefix === prefix)
    // A mark of this prune's own is of a delivery that decided nothing.
    .map(({ forgotten, ...run }) =>
      forgotten === undefined || forgotten === self ? run : { ...run, forgotten },
    );
  return chooseRuns(own, policy, readers, now);
}

async function mark(
  runs: readonly { id: string }[],
  forgotten: boolean,
  { service, runId }: Ledger,
): Promise<void> {
  await pMap(runs, ({ id }) => markForgotten(new Ledger(service, id), runId, forgotten), {
    concurrency: MARKS,
  });
}
