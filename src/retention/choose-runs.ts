import { normalRoot } from "../backup/root-path.ts";
import type { KnownRun } from "./known-runs.ts";
import { applyPolicy, type Policy } from "./policy.ts";

/** A run that stays or goes, and why, in restic's words where it has some. */
export interface Verdict {
  id: string;
  /** ISO 8601; undefined when the record is damaged. */
  started: string | undefined;
  reasons: string[];
}

/** Every backup of one destination is in one of the two, newest first. */
export interface Choice {
  kept: Verdict[];
  forgotten: Verdict[];
}

/** Of a run that was ended from outside, activities may go on this long, writing blobs and outcomes. */
export const LINGERS_MS = 60 * 60_000;

/**
 * Decides which backups of a destination stay. The policy is applied to the runs of each root apart. It counts what
 * restic would call a snapshot: runs that completed, and runs in which some files failed and others did not. A run that
 * was canceled or stopped by an error is none: it is forgotten as soon as a later snapshot stands (the next run goes on
 * from its blobs until then). The newest run that completed is never forgotten, so that runs in which files failed
 * cannot push out the last whole one.
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
  for (const root of new Set(runs.map((run) => normalRoot(run.root)))) {
    const ofRoot = runs.filter((run) => normalRoot(run.root) === root);
    const snapshots = ofRoot
      .filter((run) => isSnapshot(run))
      .map((run) => ({ ...run, started: new Date(run.started ?? 0) }))
      .toSorted((a, b) => b.started.getTime() - a.started.getTime());
    const newest = snapshots[0]?.started.getTime() ?? -Infinity;
    const whole = snapshots.find(({ status }) => status === "completed")?.id;
    const judged = new Map(applyPolicy(snapshots, policy, now).map(({ run, reasons }) => [run.id, reasons]));
    for (const run of ofRoot) {
      const { id, started, forgotten } = run;
      const reasons = [...(judged.get(id) ?? keepsThoughNone(run, newest, now))];
      if (id === whole && reasons.length === 0) reasons.push("newest complete snapshot");
      // Some of what it needs may be deleted already.
      if (forgotten !== undefined) reasons.length = 0;
      if (read.has(id)) reasons.push("being read");
      choice[reasons.length > 0 ? "kept" : "forgotten"].push({ id, started, reasons });
    }
  }
  const newestFirst = (a: Verdict, b: Verdict) => Date.parse(b.started ?? "") - Date.parse(a.started ?? "");
  choice.kept.sort(newestFirst);
  choice.forgotten.sort(newestFirst);
  return choice;
}

/** Whether a backup is what restic would call a snapshot: what a restore of a time chooses from, and a policy counts. */
export function isSnapshot({
  status,
  counts,
  forgotten,
}: Pick<KnownRun, "status" | "counts" | "forgotten">): boolean {
  if (forgotten !== undefined) return false;
  if (status === "completed") return true;
  return (
    status === "failed" && counts !== undefined && counts.failed > 0 && counts.copied + counts.unchanged > 0
  );
}

/** Why a run that is no snapshot is kept for now. */
function keepsThoughNone(run: KnownRun, newest: number, now: Date): string[] {
  if (run.status === "damaged") return ["damaged record"];
  if (Date.parse(run.started ?? "") > newest) return ["incomplete, the next run goes on from it"];
  return lingers(run, now) ? ["ended within the last hour"] : [];
}

/** Whether a run ended without waiting for all its activities, and so lately that some may still be at work. */
export function lingers({ status, counts, started, finished }: KnownRun, now: Date): boolean {
  const waited = status === "completed" || (status === "failed" && counts !== undefined);
  return !waited && now.getTime() - Date.parse(finished ?? started ?? "") < LINGERS_MS;
}
