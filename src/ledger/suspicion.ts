import type { Counts } from "../model/outcome.ts";
import { isSameRoot } from "../model/root-path.ts";
import { ofDamaged } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { indexedRuns, type RunSummary } from "./run-index.ts";
import type { Covered } from "./listing.ts";
import { readRun } from "./run-record.ts";
import { filtersOf, isGoodRun, readFilters } from "./good-run.ts";

/** A run is suspect if it found less than a tenth of what the last good one did. */
const TENTH = 10;

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
    const run = summary ?? (await readRun(ledger).catch(ofDamaged));
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
