import type { Counts, FileOutcome, Page, Run as RunOfCli } from "../../cli/answers.ts";

export { holdsSomething } from "../../cli/answers.ts";

/** What the app answers; GET /openapi.json describes it in full. */

export type { Counts, FileOutcome, Page };

/** A run's record. */
export interface Run extends Omit<RunOfCli, "status"> {
  status: RunOfCli["status"];
  /** A restore that only tells what it would do. */
  dryRun?: boolean;
  /** The prune that forgot this run: it cannot be restored any more. */
  forgotten?: string;
}

export type Status = Run["status"];
export type Outcome = FileOutcome["outcome"];

export const OUTCOMES: readonly Outcome[] = [
  "copied",
  "deleted",
  "unchanged",
  "vanished",
  "skipped",
  "failed",
];

export function countOf(counts: Counts, outcome: Outcome): number {
  return counts[outcome] ?? 0;
}

/** All files that a run has settled. */
export function filesOf(counts: Counts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + countOf(counts, outcome), 0);
}
