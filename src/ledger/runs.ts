/** Opens and closes a run's record, and keeps the index of runs in step. */
import { isDeepStrictEqual } from "node:util";
import { layoutIn, type Layout } from "../model/names.ts";
import { emptyCounts, type Counts } from "../model/outcome.ts";
import { ChangedRecord } from "./damaged.ts";
import type { Ledger } from "./ledger.ts";
import { RUN_RECORD } from "./names.ts";
import { indexRun } from "./run-index.ts";
import { parseRun, type ComparedWith, type RunRecord } from "./run-record.ts";

/** What a record says of a run from the start. */
export type Opening = Pick<
  RunRecord,
  "app" | "kind" | "of" | "dryRun" | "root" | "container" | "prefix" | "layout" | "mode"
>;

interface Opened {
  /** Whether the account keeps versions of overwritten blobs. */
  versioned: boolean;
  /** The backup it reads, as recorded; another delivery may have chosen it. */
  of: string | undefined;
  /** As recorded. */
  layout: Layout;
}

/** The fields in which an existing record must agree: all but the app, and the backup it reads. */
const FIXED = ["kind", "dryRun", "root", "container", "prefix", "mode"] as const;

/**
 * Records that a run begins, once, and adds it to the index of runs.
 * @throws ChangedRecord if an existing record does not agree with this run's request
 */
export async function openRun(ledger: Ledger, opening: Opening): Promise<Opened> {
  const record = recordOf(ledger, opening, new Date().toISOString());
  const { won, versioned } = await ledger.writeOnce(RUN_RECORD, JSON.stringify(record));
  if (!won) return await joinRun(ledger, opening);
  await indexRun(ledger.service, record, "first");
  return { versioned, of: opening.of, layout: layoutIn(opening) };
}

function recordOf({ runId: id }: Ledger, opening: Opening, started: string): RunRecord {
  const { app, kind, of, dryRun, root, container, prefix, layout, mode } = opening;
  const place = { root, container, prefix, ...(layout === "packs" ? { layout } : {}) };
  return { version: 1, id, app, kind, of, dryRun, ...place, mode, started, status: "running" };
}

/** The same as openRun, for activities: the starter has usually opened the record. @throws ChangedRecord */
export async function joinRun(ledger: Ledger, opening: Opening): Promise<Opened> {
  const found = await ledger.readBlob(RUN_RECORD);
  if (!found) return await openRun(ledger, opening);
  const record = parseRun(found.text, ledger);
  if (FIXED.some((field) => record[field] !== opening[field]))
    throw new ChangedRecord(`${ledger.runId}/${RUN_RECORD}`);
  // The starter may have been killed between record and index.
  await indexRun(ledger.service, record, "first");
  return { versioned: found.versioned, of: record.of, layout: layoutIn(record) };
}

/** Records, once, a scheduled run that was not started: skipped because of another run, or failed. */
export async function recordUnstarted(
  ledger: Ledger,
  opening: Opening,
  { status, message }: { status: "skipped" | "failed"; message: string },
): Promise<void> {
  const now = new Date().toISOString();
  // Zero counts say that none of its activities can be at work.
  const counts = status === "failed" ? emptyCounts() : undefined;
  const record = { ...recordOf(ledger, opening, now), status, finished: now, counts, message };
  const { won } = await ledger.writeOnce(RUN_RECORD, JSON.stringify(record));
  if (won) await indexRun(ledger.service, record, "first");
  else await closeRun(ledger, { status, counts, message });
}

/** Records what a backup compares its files with. */
export async function recordComparedWith(ledger: Ledger, comparedWith: ComparedWith): Promise<void> {
  await ledger.update(RUN_RECORD, (current) => {
    const record = parseRun(current, ledger);
    if (isDeepStrictEqual(record.comparedWith, comparedWith)) return undefined;
    return JSON.stringify({ ...record, comparedWith } satisfies RunRecord);
  });
}

/** Records how a run ended; the first end stands. @returns the record, or undefined if there is none */
export async function closeRun(
  ledger: Ledger,
  end: Pick<
    RunRecord,
    "status" | "finished" | "counts" | "throttled" | "message" | "warnings" | "brokenOff" | "suspect"
  >,
): Promise<RunRecord | undefined> {
  const text = await ledger.update(RUN_RECORD, (current) => {
    const record = parseRun(current, ledger);
    if (record.finished !== undefined) return undefined;
    return JSON.stringify({ ...record, finished: new Date().toISOString(), ...end } satisfies RunRecord);
  });
  if (text === undefined) return undefined;
  const closed = parseRun(text, ledger);
  await indexRun(ledger.service, closed, "again");
  return closed;
}

/** Records the counts of a canceled run, once none of its activities can be at work. The first counts stand. */
export async function recordCounts(ledger: Ledger, counts: Counts): Promise<void> {
  const text = await ledger.update(RUN_RECORD, (current) => {
    const record = parseRun(current, ledger);
    if (record.status !== "canceled" || record.counts) return undefined;
    return JSON.stringify({ ...record, counts } satisfies RunRecord);
  });
  if (text !== undefined) await indexRun(ledger.service, parseRun(text, ledger), "again");
}

/** Marks a run as forgotten by a prune, or removes that prune's mark. The first mark stands. */
export async function markForgotten(ledger: Ledger, prune: string, forgotten: boolean): Promise<void> {
  const text = await ledger.update(RUN_RECORD, (current) => {
    const { forgotten: by, ...record } = parseRun(current, ledger);
    if (by !== (forgotten ? undefined : prune)) return undefined;
    return JSON.stringify({ ...record, ...(forgotten ? { forgotten: prune } : {}) } satisfies RunRecord);
  });
  if (text !== undefined) await indexRun(ledger.service, parseRun(text, ledger), "again");
}
