import type { Counts, FileOutcome, Page, Run } from "../../client/answers.ts";

export { holdsSomething, isGood } from "../../client/answers.ts";

/** What the app answers; GET /openapi.json has the full description. */

export type { Counts, FileOutcome, Page, Run };

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
