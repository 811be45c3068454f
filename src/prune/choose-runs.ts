import { isPostdated, isGoodRun } from "../ledger/good-run.ts";
import { normalRoot } from "../model/root-path.ts";
import { isBackup, type KnownRun } from "./known-runs.ts";
import { applyPolicy, type Policy } from "./policy.ts";
import type { PruneRequest } from "./request.ts";

/** A run that stays or goes, and why, in restic's words where it has some. */
export interface Verdict {
  id: string;
  /** ISO 8601; undefined when the record is damaged. */
  started: string | undefined;
  reasons: string[];
}

/** Every backup of a destination is in one of the two, newest first. */
export interface Choice {
  kept: Verdict[];
  forgotten: Verdict[];
}

/** How long activities of a terminated run may still be writing, in milliseconds. */
const LINGERS_MS = 60 * 60_000;

/**
 * Chooses what a prune forgets.
 * @param runs those that may have blobs in its destination
 * @param read ids of runs that a restore or a verification is reading
 * @param self the prune's id
 */
export function choose(
  runs: readonly KnownRun[],
  { container: _container, prefix, dryRun: _dryRun, ...policy }: PruneRequest,
  read: ReadonlySet<string>,
  self: string,
  now: Date,
): Choice {
  const own = runs
    .filter((run) => isBackup(run) && run.prefix === prefix)
    // This prune's own mark is from a delivery that came to no decision.
    .map(({ forgotten, ...run }) =>
      forgotten === undefined || forgotten === self ? run : { ...run, forgotten },
    );
  return chooseRuns(own, policy, read, now);
}

/**
 * Decides which backups of a destination stay. The policy applies to the good runs of each root and filters separately, so a
 * mistyped filter pushes nothing out. The newest good run that completed always stays, so runs in which files failed cannot
 * push out the last complete one. Other runs are forgotten once there is a later good run; until then the next run continues
 * from their blobs. A run dated in the future stays until that date.
 * @param runs backups of the destination that have ended, by their records
 * @param read ids of runs that a restore or a verification is reading
 */
export function chooseRuns(
  runs: readonly KnownRun[],
  policy: Policy,
  read: ReadonlySet<string>,
  now: Date,
): Choice {
  const choice: Choice = { kept: [], forgotten: [] };
  const goodRuns = runs
    .filter((run) => isGoodRun(run, now))
    .map((run) => ({ ...run, started: startOf(run) }))
    .toSorted((a, b) => b.started.getTime() - a.started.getTime());
  const judged = new Map<string, string[]>();
  for (const alike of grouped(goodRuns, keyOf)) {
    for (const { run, reasons } of applyPolicy(alike, policy, now)) judged.set(run.id, reasons);
    const whole = alike.find(({ status }) => status === "completed");
    if (whole && judged.get(whole.id)?.length === 0) judged.set(whole.id, ["newest complete snapshot"]);
  }
  // Oldest first, so that the newest of each key is the one that remains.
  const byKey = new Map(goodRuns.toReversed().map((run) => [keyOf(run), run.started]));
  const byRoot = new Map(goodRuns.toReversed().map((run) => [normalRoot(run.root), run.started]));
  for (const run of runs) {
    const { id, started, forgotten } = run;
    // The filters of a run that ended before it was listed are not known.
    const newest = run.filters === undefined ? byRoot.get(normalRoot(run.root)) : byKey.get(keyOf(run));
    const hasLater = newest !== undefined && newest >= startOf(run);
    const reasons = [...(judged.get(id) ?? graceReasons(run, hasLater, now))];
    // A prune marked it, and may have deleted some of what it needs.
    if (forgotten !== undefined) reasons.length = 0;
    if (read.has(id)) reasons.push("being read");
    choice[reasons.length > 0 ? "kept" : "forgotten"].push({ id, started, reasons });
  }
  const newestFirst = (a: Verdict, b: Verdict) => Date.parse(b.started ?? "") - Date.parse(a.started ?? "");
  choice.kept.sort(newestFirst);
  choice.forgotten.sort(newestFirst);
  return choice;
}

type Covered = Pick<KnownRun, "root" | "filters">;

function keyOf({ root, filters = "" }: Covered): string {
  return `${filters}\n${normalRoot(root)}`;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Iterable<T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups.values();
}

function startOf({ started }: KnownRun): Date {
  return new Date(started ?? 0);
}

/** Why a run that is not good is kept for now. @param hasLater whether there is a later good run */
function graceReasons(run: KnownRun, hasLater: boolean, now: Date): string[] {
  if (run.status === "damaged") return ["damaged record"];
  if (isPostdated(run, now)) return ["dated in the future"];
  if (!hasLater)
    return [run.suspect ? "suspect, and no later good run" : "incomplete, the next run continues from it"];
  return lingers(run, now) ? ["ended within the last hour"] : [];
}

/** Whether a run ended without waiting for its activities, and so recently that some may still be at work. */
export function lingers(
  { status, counts, started, finished }: Pick<KnownRun, "status" | "counts" | "started" | "finished">,
  now: Date,
): boolean {
  const waited = status === "completed" || (status === "failed" && counts !== undefined);
  return !waited && Math.abs(now.getTime() - Date.parse(finished ?? started ?? "")) < LINGERS_MS;
}
