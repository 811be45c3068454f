import { duration, files, number } from "../../client/words.ts";
import { countOf, type Counts, filesOf, type Outcome, type Run } from "../api/answers.ts";

export { bytes, bytesOf, duration, files, number, placeOf, roughly, subjectOf } from "../../client/words.ts";

const KINDS: Record<string, string> = {
  backup: "Backup",
  restore: "Restore",
  verify: "Verification",
  prune: "Prune",
};

/** What a run is: Backup; Restore, dry run … */
export function kindWords({ kind, dryRun }: Pick<Run, "kind" | "dryRun">): string {
  return `${KINDS[kind] ?? kind}${dryRun ? ", dry run" : ""}`;
}

const OUTCOMES: Record<string, Partial<Record<Outcome, string>>> = {
  backup: { copied: "Copied", unchanged: "Unchanged", vanished: "Vanished", skipped: "Skipped" },
  restore: { copied: "Restored", unchanged: "Left as it is", vanished: "Vanished", skipped: "Skipped" },
  dry: { copied: "Would be restored", unchanged: "Would be left", skipped: "Would be skipped" },
  verify: { copied: "Copied", unchanged: "Verified" },
  prune: { deleted: "Deleted", unchanged: "Runs kept" },
  dryPrune: { deleted: "Would be deleted", unchanged: "Runs kept" },
};
const DRY: Record<string, string> = { restore: "dry", prune: "dryPrune" };

const MEANINGS: Partial<Record<Outcome, string>> = {
  vanished: "Gone between listing and copying; no error.",
  skipped: "Sockets, pipes, devices and the like.",
};

/** An outcome in the words for a kind of run: what a verification finds unchanged is verified. */
export function outcomeWord({ kind, dryRun }: Pick<Run, "kind" | "dryRun">, outcome: Outcome): string {
  if (outcome === "failed") return "Failed";
  const words = OUTCOMES[(dryRun && DRY[kind]) || kind] ?? OUTCOMES["backup"];
  return words?.[outcome] ?? outcome.charAt(0).toUpperCase() + outcome.slice(1);
}

export function outcomeMeaning(outcome: Outcome): string | undefined {
  return MEANINGS[outcome];
}

/** How long a run took, or has taken so far. */
export function tookWords({ started, finished }: Run): string {
  const end = finished === undefined ? Date.now() : Date.parse(finished);
  return duration(Math.max(0, end - Date.parse(started)));
}

const SUCCEEDED: Record<string, string> = {
  backup: "are backed up",
  restore: "are restored",
  verify: "are as they were recorded",
  prune: "are deleted",
};

/**
 * 3 of 118 files failed; the others are backed up. Undefined if the run failed for another reason. The run's message
 * names some files, too, but the page lists them all.
 */
export function failedWords({ kind, counts, message, suspect }: Run): string | undefined {
  if (suspect || !counts || counts.failed === 0 || message?.startsWith(`${counts.failed} of `) !== true)
    return undefined;
  const all = filesOf(counts);
  if (counts.failed === all) return all === 1 ? "The one file failed." : `All ${number(all)} files failed.`;
  const others = `the others ${SUCCEEDED[kind] ?? "did not"}`;
  return `${number(counts.failed)} of ${files(all)} failed; ${others}.`;
}

/** Why a file failed, or what a dry run would do with it; the page says that it is a dry run. */
export function reasonWords(reason: string): string {
  return reason.replace(/^dry run: it |^would be: /, "");
}

/** A run's files for a list: those it processed; for a prune, what it deleted. */
export function amountOf({ kind, counts }: Run): number | undefined {
  return counts && (kind === "prune" ? countOf(counts, "deleted") : filesOf(counts));
}

/** 118 files, 3 failed. */
export function countsWords(counts: Counts): string {
  const failed = counts.failed === 0 ? "" : `, ${number(counts.failed)} failed`;
  return `${files(filesOf(counts))}${failed}`;
}
