import pMap from "p-map";
import { damagedAsMissing } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { lockOver, overlap } from "../ledger/prune-lock.ts";
import { runningRuns } from "../ledger/run-index.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import { closeRun, type Opening } from "../ledger/runs.ts";
import { parsePruneRequest, pruneOpening, type PruneRequest } from "../prune/request.ts";
import { layoutFor } from "./destination.ts";
import { instancesOf, isStillRunning, type Start } from "./engine.ts";
import { HttpProblem, InUse, waitOrCancel } from "./problem.ts";
import { currentRecord } from "./read-run.ts";

/** Concurrent lookups of runs. */
const READS = 16;

/**
 * How long another app's prune counts as running after it last wrote anything, in milliseconds, once it no longer
 * holds the lock. A prune works in slices of minutes and records each. A stale prune must not block backups for a day; if a
 * live one loses its lock, it notices and stops.
 */
const PRUNE_SILENCE_MS = 60 * 60_000;

export async function preparePrune(body: unknown, start: Start): Promise<Opening> {
  const parsed = parsePruneRequest(body);
  if (!parsed.ok) throw new HttpProblem(400, parsed.problem);
  await refuseWhilePruned(parsed.value, start, "any");
  const { container, prefix } = parsed.value;
  const active = (await closeEnded(start)).find(
    (run) =>
      (run.kind ?? "backup") === "backup" && run.container === container && overlap(run.prefix, prefix),
  );
  if (!active)
    return { ...pruneOpening(parsed.value), layout: await layoutFor(start.services, { container, prefix }) };
  throw new InUse(
    `The run ${active.id} is backing up to the same place. ${waitOrCancel(active, start.services.settings.app)}`,
    active.id,
  );
}

/** @throws HttpProblem 409 while a prune is running where this run would write or prune */
export async function refuseWhilePruned(
  { container, prefix }: Pick<PruneRequest, "container" | "prefix">,
  start: Start,
  where: "any" | "overlapping" = "overlapping",
): Promise<void> {
  const lock = await lockOver(start.services.storage, { container, prefix: where === "any" ? "" : prefix });
  if (!lock) return;
  if (await isStillRunning(start, lock.run, {}, PRUNE_SILENCE_MS)) {
    throw new InUse(
      `The prune ${lock.run} is running in ${container}. Wait until it ends, or cancel it.`,
      lock.run,
    );
  }
  if (lock.leased) {
    throw new InUse(`The prune ${lock.run} has just ended and may still be deleting. Try again in a minute.`);
  }
}

/**
 * Closes the records of runs that ended without closing theirs, for example terminated through the Durable API: a
 * prune knows only records and would take them for running forever. Those of other apps only after a long silence.
 * @returns the runs that are really in progress
 */
async function closeEnded({ instanceId, client, services }: Start): Promise<RunRecord[]> {
  const { storage } = services;
  const instances = instancesOf(client, services.settings.app);
  const others = (await runningRuns(storage)).filter(({ id }) => id !== instanceId);
  const runs = await pMap(
    others,
    async ({ id }) => {
      const record = await currentRecord(storage, instances, id).catch(damagedAsMissing);
      if (!record || record.status === "running") return record ?? [];
      const { status, finished, message } = record;
      await closeRun(new Ledger(storage, id), {
        status,
        ...(finished === undefined ? {} : { finished }),
        ...(message === undefined ? {} : { message }),
      });
      return [];
    },
    { concurrency: READS },
  );
  return runs.flat();
}
