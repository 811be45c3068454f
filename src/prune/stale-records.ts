import { isSnapshot } from "../ledger/snapshot.ts";
import type { Choice } from "./choose-runs.ts";
import type { RecordToGo } from "./decision.ts";
import { isBackup, type KnownRun } from "./known-runs.ts";

/**
 * Which records go beside those of the backups that are forgotten: of restores and verifications, with the backup that
 * they are of; of prunes, once they are older than all that stays; of what a schedule skipped, once a later backup stands.
 * So none of them outlives what it tells of, however few backups are ever forgotten.
 * @param runs all runs of the destination, and of those that it lies in or that lie in it
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
  const newest = Math.max(...stay.filter((run) => isSnapshot(run)).flatMap(timeOf));
  const whatOf = ({ kind, status, of, started, prefix: own }: KnownRun): string | undefined => {
    if (kind === "restore" || kind === "verify") {
      if (of === undefined || (there.has(of) && !gone.has(of))) return undefined;
      return kind === "restore" ? "a restore of what is forgotten" : "a verification of what is forgotten";
    }
    if (own !== prefix) return undefined;
    const time = Date.parse(started ?? "");
    if (status === "skipped") return time < newest ? "a run that was skipped" : undefined;
    return kind === "prune" && time < oldest ? "a prune of what is forgotten" : undefined;
  };
  return runs.flatMap((run) => {
    if (run.status === "running" || isBackup(run)) return [];
    const what = whatOf(run);
    return what === undefined ? [] : [{ id: run.id, what: `the record of ${what}` }];
  });
}

/** None where the record does not tell. */
function timeOf({ started }: KnownRun): number[] {
  return started === undefined ? [] : [Date.parse(started)];
}
