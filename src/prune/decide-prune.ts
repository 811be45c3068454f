import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { layoutOf } from "../ledger/claim.ts";
import { ChangedRecord, isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { PruneLock } from "../ledger/prune-lock.ts";
import { runsBeingRead } from "../ledger/run-index.ts";
import { readRun } from "../ledger/run-record.ts";
import { joinRun, markForgotten } from "../ledger/runs.ts";
import { layoutIn, LEDGER_CONTAINER, type Layout } from "../model/names.ts";
import { emptyTally, type Outcome, type Tally } from "../model/outcome.ts";
import { describe } from "../storage/errors.ts";
import { adopt } from "./adopt-decision.ts";
import { choose, lingers, type Verdict } from "./choose-runs.ts";
import { nothing, readDecision, settleDecision, type Decision, type Standing } from "./decision.ts";
import { isBackup, knownRuns, type KnownRun } from "./known-runs.ts";
import { listManifests } from "./list-manifests.ts";
import { pruneOpening, type PruneRequest } from "./request.ts";
import { staleRecords } from "./stale-records.ts";

/** Concurrent marks. */
const MARKS = 16;

/**
 * Decides once which runs are forgotten, and marks them so that they can no longer be restored. From then on nothing more
 * can be needed: the lock keeps backups out, and a restore refuses a marked run.
 */
export async function decidePrune(
  { run, request, app }: { run: string; request: PruneRequest; app?: string },
  service: BlobServiceClient,
): Promise<Standing & { found: Tally }> {
  const ledger = new Ledger(service, run);
  try {
    const before = await readDecision(ledger);
    const { decision, sha256 } = await (before
      ? adopt(before, request, ledger)
      : decide(ledger, request, app));
    // Runs may have been marked before a restore was found to be reading them. A damaged record is never marked.
    const unmarked = decision.kept.filter(({ started }) => started !== undefined);
    if (!request.dryRun) await mark(unmarked, false, ledger);
    const found = await settleOutcomes(ledger, "outcomes/kept.jsonl", decision.kept.map(stays));
    return { decision, sha256, found };
  } catch (error) {
    if (!isFinal(error)) throw error;
    return { decision: nothing(request, describe(error)), sha256: "", found: emptyTally() };
  }
}

/** The outcome of a run that stays. */
function stays({ id, started = "an unknown time", reasons }: Verdict): Outcome {
  const reason = `the run of ${started} stays: ${reasons.join(", ")}`;
  return { path: `${LEDGER_CONTAINER}/${id}`, outcome: "unchanged", kind: "other", size: 0, reason };
}

async function decide(ledger: Ledger, request: PruneRequest, app: string | undefined): Promise<Standing> {
  const { service, runId: self } = ledger;
  const { container, prefix, dryRun } = request;
  await joinRun(ledger, { ...pruneOpening(request), app });
  const settle = async (decision: Decision): Promise<Standing> => {
    const { won, standing } = await settleDecision(ledger, decision);
    return won ? standing : await adopt(standing, request, ledger);
  };

  const lock = new PruneLock(service, { id: self, container, prefix });
  const other = dryRun ? undefined : await lock.take();
  if (other !== undefined) {
    const why =
      other.run === undefined
        ? `Another prune of ${container} is just ending. Try again in a minute.`
        : `The prune ${other.run} is running in ${container}. Wait until it ends, or cancel it.`;
    return await settle(nothing(request, why));
  }
  // Another delivery may have decided meanwhile, and the prune may even be over.
  const before = await readDecision(ledger);
  if (before) {
    if (!dryRun && (await readRun(ledger))?.finished !== undefined) await lock.release();
    return await adopt(before, request, ledger);
  }
  const runs = (await knownRuns(service, request)).filter(({ id }) => id !== self);
  const problem = busyWith(runs);
  if (problem !== undefined) return await settle(nothing(request, problem));

  const now = new Date();
  const readers = await runsBeingRead(service);
  let choice = choose(runs, request, readers, self, now);
  const marked = choice.forgotten;
  if (!dryRun && choice.forgotten.length > 0) {
    await mark(marked, true, ledger);
    // A reader opens its record, then looks for the mark. Any reader that missed the mark is found now.
    choice = choose(runs, request, new Set([...readers, ...(await runsBeingRead(service))]), self, now);
  }
  const backups = runs.filter(isBackup);
  const forgotten = new Set(choice.forgotten.map(({ id }) => id));
  const standing = await settle({
    ...nothing(request),
    ...choice,
    // A run that was not started over HTTP has no claim.
    layout: (await layoutOf(service, request)) ?? layoutAt(prefix, backups),
    staying: backups.map(({ id }) => id).filter((id) => !forgotten.has(id)),
    lingering: backups.some((run) => lingers(run, now)),
    records: staleRecords(runs, choice, prefix),
    ...(forgotten.size > 0 ? await listManifests(backups, forgotten, ledger) : {}),
  }).catch(async (error: unknown) => {
    // Nothing will be deleted, so what this delivery marked can be restored again.
    if (error instanceof ChangedRecord && !dryRun) await mark(marked, false, ledger);
    throw error;
  });
  if (!dryRun) {
    // Runs that this delivery marked and the standing decision does not have: they began after it was made.
    const known = new Set(standing.decision.forgotten.map(({ id }) => id));
    await mark(
      marked.filter(({ id }) => !known.has(id)),
      false,
      ledger,
    );
  }
  return standing;
}

function layoutAt(prefix: string, backups: readonly KnownRun[]): Layout {
  return layoutIn(backups.find((run) => run.prefix === prefix) ?? {});
}

/** Why nothing can be pruned now, as a message. */
function busyWith(runs: readonly KnownRun[]): string | undefined {
  const active = runs.find(({ kind, status }) => kind === "backup" && status === "running");
  return active && `The run ${active.id} is backing up to the same place. Wait until it ends, or cancel it.`;
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
