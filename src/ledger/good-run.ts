import { createHash } from "node:crypto";
import { NewerLedger, ofDamaged } from "./damaged.ts";
import type { Ledger } from "./ledger.ts";
import { readListingNow, type Covered } from "./listing.ts";
import type { RunRecord } from "./run-record.ts";

/** How far the clocks of two machines may be apart, in milliseconds. */
export const CLOCK_SKEW_MS = 5 * 60_000;

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
  const listing = await readListingNow(ledger, "0").catch((error: unknown) =>
    error instanceof NewerLedger ? undefined : ofDamaged(error),
  );
  return listing && filtersOf(listing.request);
}
