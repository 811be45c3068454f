import type { EntryKind } from "./entry.ts";
import type { Packed } from "./packed.ts";
import { printable } from "./path.ts";

/** How a listed file ended. Every file ends in exactly one; only a prune deletes. */
export const OUTCOMES = ["copied", "unchanged", "vanished", "skipped", "failed", "deleted"] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** A line of a run's outcomes: what happened to one name in the tree. */
export interface Outcome {
  path: string;
  outcome: OutcomeName;
  kind: EntryKind | "other";
  /** Bytes of content in the backup; 0 unless copied, unchanged or deleted. */
  size: number;
  /** Microseconds since 1970. */
  mtime?: number;
  ctime?: number;
  mode?: number;
  /** Base64 of the content's MD5, for copied and unchanged in the layout `files`. */
  md5?: string;
  /** Where the content is, for copied and unchanged in the layout `packs`. */
  packed?: Packed;
  /** What a link points to, as a path; absent where it was not read. */
  target?: string;
  /** What identifies the stored content as it was written or found; the layout says how. */
  etag?: string;
  /** Why it was skipped or failed, or another note. */
  reason?: string;
  /** It was restored, but its mode or time could not be set: `reason` says why. */
  unset?: true;
}

/** Files and links by outcome; bytes copied (or deleted); directories separately. */
export interface Counts {
  copied: number;
  unchanged: number;
  vanished: number;
  skipped: number;
  failed: number;
  /** Only if something was deleted. */
  deleted?: number;
  directories: number;
  /** Bytes copied; of a prune, bytes deleted. */
  bytes: number;
  /** Bytes of unchanged files. */
  unchangedBytes: number;
}

/** The most characters of an outcome's reason. */
const REASON_LENGTH = 500;

/** How many failed files a result names; the rest are in the ledger. */
const EXAMPLES = 5;
const EXAMPLE_LENGTH = 300;

/** The result of a batch, a listing or a part of the tree: counts, and a few failures by name. */
export interface Tally {
  counts: Counts;
  failures: string[];
  /**
   * Set if the work was given up because nothing could succeed, for example because storage refuses: says what to do.
   */
  stopped?: string;
  /** A note for the user even if nothing failed. */
  note?: string;
  /** Which of the request's patterns matched something, if it has any; see Filter. */
  matched?: number[];
  /** How many were restored without their mode or time; see Outcome. */
  unset?: number;
  /** Requests that storage throttled or left unanswered, which were sent again: why the work took longer. */
  throttled?: number;
}

export function emptyCounts(): Counts {
  return {
    copied: 0,
    unchanged: 0,
    vanished: 0,
    skipped: 0,
    failed: 0,
    directories: 0,
    bytes: 0,
    unchangedBytes: 0,
  };
}

export function emptyTally(): Tally {
  return { counts: emptyCounts(), failures: [] };
}

/** The tally of work that could not continue. */
export function stopped(reason: string): Tally {
  return { ...emptyTally(), stopped: reason };
}

/** The outcome of a name that failed. */
export function failed({ path, kind }: Pick<Outcome, "path" | "kind">, reason: string): Outcome {
  return { path, kind, outcome: "failed", size: 0, reason: reason.slice(0, REASON_LENGTH) };
}

/** Counts one outcome. */
export function count(tally: Tally, outcome: Outcome): void {
  const { counts } = tally;
  if (outcome.unset) tally.unset = (tally.unset ?? 0) + 1;
  if (outcome.kind === "directory" && outcome.outcome !== "failed") {
    counts.directories++;
    return;
  }
  counts[outcome.outcome] = (counts[outcome.outcome] ?? 0) + 1;
  if (outcome.outcome === "copied" || outcome.outcome === "deleted") counts.bytes += outcome.size;
  else if (outcome.outcome === "unchanged") counts.unchangedBytes += outcome.size;
  else if (outcome.outcome === "failed" && tally.failures.length < EXAMPLES) {
    tally.failures.push(
      `${printable(outcome.path)}: ${outcome.reason ?? "unknown"}`.slice(0, EXAMPLE_LENGTH),
    );
  }
}

/** The sum of several tallies, with the first few failures of all. */
export function sum(tallies: readonly Tally[]): Tally {
  const total = emptyTally();
  for (const { counts, failures, stopped, note, matched, unset, throttled } of tallies) {
    addCounts(total.counts, counts);
    total.failures.push(...failures.slice(0, EXAMPLES - total.failures.length));
    if (stopped !== undefined) total.stopped ??= stopped;
    if (note !== undefined) total.note ??= note;
    if (matched) total.matched = [...new Set([...(total.matched ?? []), ...matched])];
    if (unset) total.unset = (total.unset ?? 0) + unset;
    if (throttled) total.throttled = (total.throttled ?? 0) + throttled;
  }
  return total;
}

/** Adds some counts to others. */
export function addCounts(total: Counts, some: Counts): void {
  for (const key of Object.keys(some) as (keyof Counts)[]) total[key] = (total[key] ?? 0) + (some[key] ?? 0);
}

/** All names of the counts, whatever became of them, without the directories. */
export function filesOf(counts: Counts): number {
  return OUTCOMES.reduce((files, outcome) => files + (counts[outcome] ?? 0), 0);
}

/** Why a run failed: what stopped it, or which files failed. Undefined if it did not fail. */
export function verdict(
  { counts, failures, stopped }: Tally,
  run: string,
  done = "backed up",
): string | undefined {
  if (stopped !== undefined) return stopped;
  if (counts.failed === 0) return undefined;
  const more = counts.failed > failures.length ? `; and ${counts.failed - failures.length} more` : "";
  return (
    `${counts.failed} of ${filesOf(counts)} files failed, the others are ${done}. ${failures.join("; ")}${more}. ` +
    `All of them: container backup-runs, ${run}/outcomes.`
  );
}
