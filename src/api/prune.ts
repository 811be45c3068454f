import pMap from "p-map";
import { instancesOf } from "./engine.ts";
import { ofDamaged } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { lockOver, overlap } from "../ledger/prune-lock.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import { closeRun, type Opening } from "../ledger/runs.ts";
import { currentRecord } from "./read-run.ts";
import { parsePruneRequest, pruneOpening, type PruneRequest } from "../prune/request.ts";
import { runningRuns } from "../prune/read-runs.ts";
import { isStillRunning } from "./still-running.ts";
import type { Start } from "./start-context.ts";
import { HttpProblem, InUse, waitOrCancel } from "./problem.ts";

/** Records that are asked for at a time. */
const READS = 16;

/**
 * How long a prune of another app is waited for after the last that was written of it, where it holds the lock no more.
 * All that it does it does in slices of minutes, with a record of each; and what keeps backups from being made must not
 * do so for a day. That a backup takes the lock meanwhile does no harm: the prune notices, and ends.
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
  if (!active) return pruneOpening(parsed.value);
  throw new InUse(
    `The run ${active.id} is backing up to the same place. ${waitOrCancel(active, start.services.settings.app)}`,
    active.id,
  );
}

/** @throws HttpProblem 409 while a prune is at work where a run is to write or to prune */
export async function refuseWhilePruned(
  { container, prefix }: Pick<PruneRequest, "container" | "prefix">,
  start: Start,
  where: "any" | "overlapping" = "overlapping",
): Promise<void> {
  const lock = await lockOver(start.services.storage, { container, prefix: where === "any" ? "" : prefix });
  if (!lock) return;
  if (await isStillRunning(start, lock.run, {}, PRUNE_SILENCE_MS)) {
    throw new InUse(
      `The prune ${lock.run} is at work on ${container}. Wait until it ends, or cancel it.`,
      lock.run,
    );
  }
  if (lock.leased) {
    throw new InUse(`The prune ${lock.run} was just ended, and may be deleting yet. Try again in a minute.`);
  }
}

/**
 * Closes the records of runs that ended without closing theirs (terminated by the Durable API, say): to a prune, which
 * knows records only, they would be at work forever. Those of other apps only when nothing was heard of them for long.
 * @returns those that are at work indeed
 */
async function closeEnded({ instanceId, client, services }: Start): Promise<RunRecord[]> {
  const { storage } = services;
  const instances = instancesOf(client, services.settings.app);
  const others = (await runningRuns(storage)).filter(({ id }) => id !== instanceId);
  const runs = await pMap(
    others,
    async ({ id }) => {
      const record = await currentRecord(storage, instances, id).catch(ofDamaged);
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
