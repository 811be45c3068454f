import { createHash } from "node:crypto";
import type { Counts } from "../model/outcome.ts";
import { isSameRoot } from "../model/root-path.ts";
import { NewerLedger, damagedAsMissing } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { readListingNow, type Covered } from "./listing.ts";
import { WHOLE } from "./part-record.ts";
import { indexedRuns, type RunSummary } from "./run-index.ts";
import { readRun, type RunRecord } from "./run-record.ts";

/** How far the clocks of two machines may be apart, in milliseconds. */
export const CLOCK_SKEW_MS = 5 * 60_000;
/** A run is suspect if it found less than a tenth of what the last good one did. */
const TENTH = 10;

/** Whether a run is dated in the future: the clock was wrong when it began. */
export function isPostdated({ started = "" }: { started?: string | undefined }, now = new Date()): boolean {
  return Date.parse(started) > now.getTime() + CLOCK_SKEW_MS;
}

/**
 * Whether a backup is a good run, which restic calls a snapshot: it completed, or failed for some of its files only. Only good
 * runs are counted by keep rules, chosen by a restore of a time, and compared with the next run.
 */
export function isGoodRun(
  run: Pick<RunRecord, "counts" | "forgotten" | "brokenOff" | "suspect"> & {
    status: string;
    started: string | undefined;
  },
  now = new Date(),
): boolean {
  const { status, counts, forgotten, brokenOff, suspect } = run;
  if (forgotten !== undefined || brokenOff || suspect || isPostdated(run, now)) return false;
  if (status === "completed") return true;
  return (
    status === "failed" && counts !== undefined && counts.failed > 0 && counts.copied + counts.unchanged > 0
  );
}

/** A hash of a run's filters, whatever their order. */
export function filtersOf({ include, exclude }: Pick<Covered, "include" | "exclude">): string {
  const text = JSON.stringify([include.toSorted(), exclude.toSorted()]);
  return createHash("sha256").update(text).digest("base64url");
}

/** A run's filters, from its ledger; undefined if it was never listed or its listing cannot be read. */
export async function readFilters(ledger: Ledger): Promise<string | undefined> {
  const listing = await readListingNow(ledger, WHOLE).catch((error: unknown) =>
    error instanceof NewerLedger ? undefined : damagedAsMissing(error),
  );
  return listing && filtersOf(listing.request);
}

/**
 * Why a backup must not count, as a message: it found less than a tenth of the files of the last good run of the same root,
 * filters and destination, as happens when a file system is not mounted. Otherwise undefined.
 */
export async function suspicionOf(
  ledger: Ledger,
  request: Covered & { acceptFewer: boolean },
  counts: Counts,
): Promise<string | undefined> {
  if (request.acceptFewer) return undefined;
  const last = await lastGood(ledger, request);
  if (!last?.counts) return undefined;
  const [found, before] = [foundBy(counts), foundBy(last.counts)];
  if (found * TENTH >= before) return undefined;
  return (
    `Suspect: the run found only ${found} of the ${before} files that the last good run of this directory found (${last.id}). ` +
    `Check that it is the right directory and is mounted. Prunes and "latest" ignore this run. ` +
    `If the directory really has so few files, back up again with "acceptFewer": true (--accept-fewer).`
  );
}

/** The newest good run of the same root, filters and destination, other than the run itself. */
async function lastGood({ service, runId }: Ledger, request: Covered): Promise<RunSummary | undefined> {
  const filters = filtersOf(request);
  for await (const { id, summary } of indexedRuns(service)) {
    if (id === runId) continue;
    const ledger = new Ledger(service, id);
    const run = summary ?? (await readRun(ledger).catch(damagedAsMissing));
    if (run && isOf(request, run) && isGoodRun(run) && (await readFilters(ledger)) === filters) return run;
  }
  return undefined;
}

function isOf({ root, container, prefix }: Covered, run: RunSummary): boolean {
  const isBackup = (run.kind ?? "backup") === "backup";
  return isBackup && run.container === container && run.prefix === prefix && isSameRoot(run.root, root);
}

/** The number of files that the run found. */
function foundBy({ copied, unchanged, skipped, failed }: Counts): number {
  return copied + unchanged + skipped + failed;
}
