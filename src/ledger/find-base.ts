import { isSameRoot } from "../model/root-path.ts";
import { damagedAsMissing } from "./damaged.ts";
import { filtersOf, isGoodRun } from "./good-run.ts";
import { Ledger } from "./ledger.ts";
import { readListingNow, type Covered } from "./listing.ts";
import { WHOLE } from "./part-record.ts";
import { overlap } from "./prune-lock.ts";
import { indexedRuns, type RunSummary } from "./run-index.ts";
import { readRun, type ComparedWith } from "./run-record.ts";

/**
 * The run whose record says what the destination holds: the last one that wrote there. The destination must be listed instead if
 * that run was of another root or other filters or did not end well, and if a run of an overlapping destination may have written
 * since that run began. A prune hides no such run: it forgets none that is the last good one of its root and filters,
 * nor any other before there is a later good one of its root.
 */
export async function findBase({ service, runId }: Ledger, request: Covered): Promise<ComparedWith> {
  let last: RunSummary | undefined;
  for await (const { id, summary } of indexedRuns(service)) {
    if (id === runId) continue;
    // A run that was in progress when it was indexed may have ended since.
    const isSettled = summary !== undefined && summary.status !== "running";
    const run = isSettled ? summary : await readRun(new Ledger(service, id)).catch(damagedAsMissing);
    if (!run) return destination(`the record of the run ${id} is damaged or gone`);
    if (run.container !== request.container || !mayHaveWritten(run)) continue;
    if (run.prefix === request.prefix) last ??= run;
    else if (overlap(run.prefix, request.prefix) && mayHaveWrittenSince(run, last))
      return destination(`the run ${id} has written to ${run.container}/${run.prefix}, which overlaps it`);
  }
  if (!last) return destination("no run has written there yet");
  const why = await whyNot(new Ledger(service, last.id), request);
  return why === undefined ? { run: last.id } : destination(`the last run there, ${last.id}, ${why}`);
}

function destination(because: string): ComparedWith {
  return { destination: true, because };
}

/** Whether a run may have changed blobs. Zero counts say that none of its activities was at work, unless it was broken off. */
function mayHaveWritten({ kind = "backup", status, counts, brokenOff }: RunSummary): boolean {
  if (kind !== "backup" || status === "skipped") return false;
  return brokenOff === true || !counts || Object.values(counts).some((count) => count > 0);
}

/** @param other undefined if it began before this run */
function mayHaveWrittenSince({ finished }: RunSummary, other: RunSummary | undefined): boolean {
  return !other || finished === undefined || Date.parse(finished) >= Date.parse(other.started);
}

/** Why a run's record does not say what the destination holds, as the end of a sentence; undefined if it does. */
async function whyNot(ledger: Ledger, request: Covered): Promise<string | undefined> {
  const [run, listing] = await Promise.all([
    readRun(ledger).catch(damagedAsMissing),
    readListingNow(ledger, WHOLE).catch(damagedAsMissing),
  ]);
  if (!run) return "has a record that is damaged or gone";
  if (!isSameRoot(run.root, request.root)) return `was of another directory, ${run.root}`;
  if (!isGoodRun(run)) return `does not count: ${run.suspect ? "it is suspect" : whyNotGood(run)}`;
  if (!listing) return "has a record that is damaged or gone";
  if (filtersOf(listing.request) !== filtersOf(request)) return "had other filters";
  // Earlier releases had no such field, and did not record what an overwrite must find.
  if (listing.request.compareWith === undefined) return "was made by an earlier version of the app";
  return undefined;
}

function whyNotGood({ status, forgotten, brokenOff }: RunSummary): string {
  if (forgotten !== undefined) return "a prune has forgotten it";
  if (status === "running") return "it has not ended";
  if (status === "canceled") return "it was canceled";
  return status === "failed" || brokenOff ? "it failed" : "it is dated in the future";
}
