/** The life of a run's record: opened, closed, and kept in step with the index of runs. */
import { emptyCounts, type Counts } from "../model/outcome.ts";
import { ChangedRecord } from "./damaged.ts";
import type { Ledger } from "./ledger.ts";
import { indexRun } from "./run-index.ts";
import { parseRun, type RunRecord } from "./run-record.ts";
import { RUN_RECORD } from "./names.ts";

/** What a run is to do, as its record says from the beginning to the end. */
export type Opening = Pick<
  RunRecord,
  "app" | "kind" | "of" | "dryRun" | "root" | "container" | "prefix" | "mode"
>;

interface Opened {
  /** The service keeps versions of overwritten blobs by itself. */
  versioned: boolean;
  /** The run that it is recorded to be of, which may be another delivery's choice. */
  of: string | undefined;
}

/** Of the record that is there: all but the app that runs it, and the run that it is of. */
const FIXED = ["kind", "dryRun", "root", "container", "prefix", "mode"] as const;

/**
 * Records that a run begins, once, and puts it into the index of runs.
 * @throws ChangedRecord where the record that was there is of anything else than this run was asked for
 */
export async function openRun(ledger: Ledger, opening: Opening): Promise<Opened> {
  const record = recordOf(ledger, opening, new Date().toISOString());
  const { won, versioned } = await ledger.writeOnce(RUN_RECORD, JSON.stringify(record));
  if (!won) return await joinRun(ledger, opening);
  await indexRun(ledger.service, record, "first");
  return { versioned, of: opening.of };
}

function recordOf({ runId: id }: Ledger, opening: Opening, started: string): RunRecord {
  const { app, kind, of, dryRun, root, container, prefix, mode } = opening;
  return { version: 1, id, app, kind, of, dryRun, root, container, prefix, mode, started, status: "running" };
}

/** As openRun, for activities: whoever started the run has opened its record, as a rule. @throws ChangedRecord */
export async function joinRun(ledger: Ledger, opening: Opening): Promise<Opened> {
  const found = await ledger.readBlob(RUN_RECORD);
  if (!found) return await openRun(ledger, opening);
  const record = parseRun(found.text, ledger);
  if (FIXED.some((field) => record[field] !== opening[field]))
    throw new ChangedRecord(`${ledger.runId}/${RUN_RECORD}`);
  // Whoever opened it may have been killed between the two.
  await indexRun(ledger.service, record, "first");
  return { versioned: found.versioned, of: record.of };
}

/** Records a run that was due and was not started, once: skipped for another that went on, or failed for the reason given. */
export async function recordUnstarted(
  ledger: Ledger,
  opening: Opening,
  { status, message }: { status: "skipped" | "failed"; message: string },
): Promise<void> {
  const now = new Date().toISOString();
  // Of what failed, that nothing was done: else activities of it might be at work yet.
  const counts = status === "failed" ? emptyCounts() : undefined;
  const record = { ...recordOf(ledger, opening, now), status, finished: now, counts, message };
  const { won } = await ledger.writeOnce(RUN_RECORD, JSON.stringify(record));
  if (won) await indexRun(ledger.service, record, "first");
  else await closeRun(ledger, { status, counts, message });
}

/** Records how a run ended, and gives its record; undefined when the run was never opened. The first end stands. */
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

/** Puts the counts into the record of a canceled run, once nothing of it can be at work any more. The first ones stand. */
export async function recordCounts(ledger: Ledger, counts: Counts): Promise<void> {
  const text = await ledger.update(RUN_RECORD, (current) => {
    const record = parseRun(current, ledger);
    if (record.status !== "canceled" || record.counts) return undefined;
    return JSON.stringify({ ...record, counts } satisfies RunRecord);
  });
  if (text !== undefined) await indexRun(ledger.service, parseRun(text, ledger), "again");
}

/** Marks a run as forgotten by a prune, or takes that prune's mark back. The first mark stands. */
export async function markForgotten(ledger: Ledger, prune: string, forgotten: boolean): Promise<void> {
  const text = await ledger.update(RUN_RECORD, (current) => {
    const { forgotten: by, ...record } = parseRun(current, ledger);
    if (by !== (forgotten ? undefined : prune)) return undefined;
    return JSON.stringify({ ...record, ...(forgotten ? { forgotten: prune } : {}) } satisfies RunRecord);
  });
  if (text !== undefined) await indexRun(ledger.service, parseRun(text, ledger), "again");
}
