import { duration, files, number } from "../../cli/words.ts";
import type { Counts, Outcome, Run } from "../api/answers.ts";
import { filesOf } from "../api/answers.ts";

export { bytes, bytesOf, duration, files, number, roughly } from "../../cli/words.ts";

const KINDS: Record<string, string> = {
  backup: "Backup",
  restore: "Restore",
  verify: "Verification",
  prune: "Prune",
};

/** What a run does: Backup; Restore, dry run … */
export function kindWords({ kind, dryRun }: Pick<Run, "kind" | "dryRun">): string {
  return `${KINDS[kind] ?? kind}${dryRun ? ", dry run" : ""}`;
}

const OUTCOMES: Record<string, Partial<Record<Outcome, string>>> = {
  backup: { copied: "Copied", unchanged: "Unchanged", vanished: "Vanished", skipped: "Skipped" },
  restore: { copied: "Restored", unchanged: "Left as it is", vanished: "Vanished", skipped: "Skipped" },
  dry: { copied: "Would be restored", unchanged: "Would be left", skipped: "Would be skipped" },
  verify: { copied: "Copied", unchanged: "Verified" },
  prune: { deleted: "Deleted", unchanged: "Decided" },
};

const MEANINGS: Partial<Record<Outcome, string>> = {
  vanished: "Gone between listing and copying; no error.",
  skipped: "Sockets, pipes, devices and the like.",
};

/** An outcome in the words of a kind of run: what a verification finds unchanged is verified. */
export function outcomeWord({ kind, dryRun }: Pick<Run, "kind" | "dryRun">, outcome: Outcome): string {
  if (outcome === "failed") return "Failed";
  const words = OUTCOMES[dryRun && kind === "restore" ? "dry" : kind] ?? OUTCOMES["backup"];
  return words?.[outcome] ?? outcome.charAt(0).toUpperCase() + outcome.slice(1);
}

export function outcomeMeaning(outcome: Outcome): string | undefined {
  return MEANINGS[outcome];
}

/** Where a backup's blobs are, as a path: backups/site. */
export function placeOf({ destination }: Run): string {
  const { container, prefix } = destination;
  return prefix === "" ? container : `${container}/${prefix}`;
}

/** What a run is of: its directory; a prune has none, but the place that it prunes. */
export function subjectOf(run: Run): string {
  return run.root === "" ? placeOf(run) : run.root;
}

/** How long a run took, or has taken. */
export function tookWords({ started, finished }: Run): string {
  const end = finished === undefined ? Date.now() : Date.parse(finished);
  return duration(Math.max(0, end - Date.parse(started)));
}

/** 118 files, 3 failed. */
export function countsWords(counts: Counts): string {
  const failed = counts.failed === 0 ? "" : `, ${number(counts.failed)} failed`;
  return `${files(filesOf(counts))}${failed}`;
}
