import type { Counts, FileOutcome, Page, Run as RunOfCli } from "../../cli/answers.ts";

/** What the app answers; GET /openapi.json describes it in full. */

export type { Counts, FileOutcome, Page };

/** A run's record. */
export interface Run extends RunOfCli {
  /** A restore that only tells what it would do. */
  dryRun?: boolean;
}

export type Status = Run["status"];
/** Of a backup, a restore or a verification: only a prune deletes. */
export type Outcome = Exclude<FileOutcome["outcome"], "deleted">;

export const OUTCOMES: readonly Outcome[] = ["copied", "unchanged", "vanished", "skipped", "failed"];

/** All files that a run has settled. */
export function filesOf(counts: Counts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}
