import { paint } from "./print.ts";
import type { Counts, Run } from "../client/answers.ts";
import { bytes, files, number } from "../client/words.ts";

/** The words for a kind of run. */
export interface Kind {
  /** Backing up /home/me/site */
  doing: string;
  /** The verb for a file it works on, and for one that needed nothing. */
  copied: string;
  unchanged: string;
  /** After a number of files: could not be backed up. */
  failed: string;
  /** What its output counts. */
  output: "bytes" | "files";
}

const BACKUP: Kind = {
  doing: "Backing up",
  copied: "copied",
  unchanged: "unchanged",
  failed: "could not be backed up",
  output: "bytes",
};

const KINDS: Record<string, Kind> = {
  backup: BACKUP,
  restore: {
    doing: "Restoring",
    copied: "restored",
    unchanged: "already up to date",
    failed: "could not be restored",
    output: "bytes",
  },
  verify: {
    doing: "Verifying",
    copied: "copied",
    unchanged: "verified",
    failed: "missing or damaged",
    output: "files",
  },
  prune: {
    doing: "Pruning",
    copied: "copied",
    unchanged: "runs kept",
    failed: "could not be deleted",
    output: "bytes",
  },
};

/** What a run is about; said even if it has none. */
const MAIN: Record<string, "unchanged" | "deleted"> = { verify: "unchanged", prune: "deleted" };

/** A kind that only a newer app knows is described as a backup. */
export function kindOf({ kind }: Pick<Run, "kind">): Kind {
  return KINDS[kind] ?? BACKUP;
}

/** 3 restored, 2 already up to date, 1 failed */
export function byOutcome({ kind }: Pick<Run, "kind">, counts: Counts): string {
  const { copied, unchanged } = kindOf({ kind });
  const main = MAIN[kind] ?? "copied";
  const outcomes = [
    ["copied", copied],
    ["unchanged", unchanged],
    ["vanished", "vanished"],
    ["skipped", "skipped"],
    ["deleted", "deleted"],
    ["failed", "failed"],
  ] as const;
  const some = outcomes
    .filter(([outcome]) => outcome === main || (counts[outcome] ?? 0) > 0)
    .map(([outcome, word]) => {
      const text = `${number(counts[outcome] ?? 0)} ${word}`;
      return outcome === "failed" && counts.failed > 0 ? paint("red", text) : text;
    });
  if (counts.directories > 0) some.push(`${number(counts.directories)} empty directories`);
  return some.join(", ");
}

/** What a dry run would do. */
export function wouldDo(counts: Counts): string {
  return `${files(counts.copied)} would be restored (${bytes(counts.bytes)})${
    counts.unchanged > 0 ? `, ${number(counts.unchanged)} already up to date` : ""
  }`;
}
