import { isGoodRun } from "../ledger/good-run.ts";
import type { Choice } from "./choose-runs.ts";
import type { RecordToGo } from "./decision.ts";
import { isBackup, type KnownRun } from "./known-runs.ts";

/**
 * The records to delete besides those of forgotten backups: a restore's or a verification's with the backup it was of, a
 * prune's once it is older than every backup that stays, and a skipped run's once there is a later backup.
 * @param runs all runs of the destination, and of destinations that overlap it
 */
export function staleRecords(
  runs: readonly KnownRun[],
  { kept, forgotten }: Choice,
  prefix: string,
): RecordToGo[] {
  const gone = new Set(forgotten.map(({ id }) => id));
  const there = new Set(runs.map(({ id }) => id));
  const staying = new Set(kept.map(({ id }) => id));
  const stay = runs.filter(({ id }) => staying.has(id));
  const oldest = Math.min(...stay.flatMap(timeOf));
  const newest = Math.max(...stay.filter((run) => isGoodRun(run)).flatMap(timeOf));
  const whatOf = ({ kind, status, of, started, prefix: own }: KnownRun): string | undefined => {
    if (kind === "restore" || kind === "verify") {
      if (of === undefined || (there.has(of) && !gone.has(of))) return undefined;
      return kind === "restore" ? "a restore of a forgotten run" : "a verification of a forgotten run";
    }
    if (own !== prefix) return undefined;
    const time = Date.parse(started ?? "");
    if (status === "skipped") return time < newest ? "a run that was skipped" : undefined;
    return kind === "prune" && time < oldest ? "a prune older than all that stays" : undefined;
  };
  return runs.flatMap((run) => {
    if (run.status === "running" || isBackup(run)) return [];
    const what = whatOf(run);
    return what === undefined ? [] : [{ id: run.id, what: `the record of ${what}` }];
  });
}

/** Empty if the record is damaged. */
function timeOf({ started }: KnownRun): number[] {
  return started === undefined ? [] : [Date.parse(started)];
}
