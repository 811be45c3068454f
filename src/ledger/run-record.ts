import { z } from "zod";
import { emptyCounts, type Counts } from "../model/outcome.ts";
import type { Ledger } from "./ledger.ts";
import { ChangedRecord, counts, DamagedRecord, readRecord } from "./damaged.ts";
import { BACKUP_MODES, type BackupMode } from "../model/request-fields.ts";
import { LEDGER_ID } from "../model/run-id.ts";
import { indexRun } from "./run-index.ts";

export const RUN_STATUSES = ["running", "completed", "failed", "canceled", "skipped"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const RUN_KINDS = ["backup", "restore", "verify", "prune"] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** A run's summary: `run.json`. Times are ISO 8601, UTC. */
export interface RunRecord {
  version: 1;
  id: string;
  /** The app whose durable engine runs it; see appIdentity. Absent in records of older versions. */
  app?: string;
  /** What the run does; absent in a backup's. */
  kind?: RunKind;
  /** The run that is restored or verified. */
  of?: string;
  /** A restore that only tells what it would do. */
  dryRun?: boolean;
  root: string;
  container: string;
  prefix: string;
  mode: BackupMode;
  started: string;
  finished?: string;
  status: RunStatus;
  counts?: Counts;
  /** Requests that storage throttled or left unanswered, and that were sent again; absent where there were none. */
  throttled?: number;
  /** Why it failed, or was skipped, or what else is to be told of it. */
  message?: string;
  /** What may be a mistake, for people: a pattern that matched nothing. Absent where there is nothing. */
  warnings?: string[];
  /** Something stopped it before it had tried every file: however many failed, the others are not all backed up. */
  brokenOff?: true;
  /** A backup that found so few files that it does not count as one; see suspicionOf. */
  suspect?: true;
  /** The prune that is deleting what only this run needs: it cannot be restored any more. */
  forgotten?: string;
}

const NAME = "run.json";

/** What others read of a record; a newer version's may have more. */
export const runRecord = z.looseObject({
  id: z.string().regex(LEDGER_ID),
  app: z.string().optional(),
  kind: z.enum(RUN_KINDS).optional(),
  of: z.string().optional(),
  root: z.string(),
  container: z.string().regex(/^[a-z0-9$-]{1,63}$/),
  prefix: z.string().refine((value) => value.isWellFormed(), "it is not valid Unicode"),
  mode: z.enum(BACKUP_MODES),
  started: z.iso.datetime(),
  finished: z.iso.datetime().optional(),
  status: z.enum(RUN_STATUSES),
  counts: counts.optional(),
  message: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  brokenOff: z.literal(true).optional(),
  suspect: z.literal(true).optional(),
});

function parseRun(text: string, ledger: Ledger): RunRecord {
  const name = `${ledger.runId}/${NAME}`;
  const record = readRecord<RunRecord>(text, runRecord, name);
  if (record.id !== ledger.runId) throw new DamagedRecord(name, "it is the record of another run");
  return record;
}

/**
 * Records that a run has begun, once, and puts it into the index of runs.
 * @returns the run that it is recorded to be of, which may be another delivery's choice
 * @throws ChangedRecord where the record that was there is of anything else than this run was asked for
 */
export async function openRun(
  ledger: Ledger,
  request: Pick<RunRecord, "root" | "container" | "prefix" | "mode">,
  what: { app?: string; kind?: RunKind; of?: string; dryRun?: boolean } = {},
): Promise<{ versioned: boolean; of: string | undefined }> {
  const { root, container, prefix, mode } = request;
  const record: RunRecord = {
    version: 1,
    id: ledger.runId,
    ...what,
    root,
    container,
    prefix,
    mode,
    started: new Date().toISOString(),
    status: "running",
  };
  const written = await ledger.writeOnce(NAME, JSON.stringify(record));
  // Another delivery may have ended between the two.
  const standing = written.won ? record : ((await readRun(ledger)) ?? record);
  const differs = (["kind", "root", "container", "prefix", "mode", "dryRun"] as const).some(
    (field) => standing[field] !== record[field],
  );
  if (differs) throw new ChangedRecord(`${ledger.runId}/${NAME}`);
  await indexRun(ledger.service, standing, "first");
  const versioned = written.won ? written.versioned : await ledger.isVersioned(NAME);
  return { versioned, of: standing.of };
}

/** Records a run that was due and was not started, once: skipped for another that went on, or failed for the reason given. */
export async function recordUnstarted(
  ledger: Ledger,
  request: Pick<RunRecord, "app" | "kind" | "root" | "container" | "prefix" | "mode">,
  end: { status: "skipped" | "failed"; message: string },
): Promise<void> {
  const now = new Date().toISOString();
  // Of what failed, that nothing was done: else activities of it might be at work yet.
  const counts = end.status === "failed" ? { counts: emptyCounts() } : {};
  const record: RunRecord = {
    version: 1,
    id: ledger.runId,
    ...request,
    started: now,
    finished: now,
    ...counts,
    ...end,
  };
  await ledger.writeOnce(NAME, JSON.stringify(record));
  await indexRun(ledger.service, record, "first");
}

/** Records how a run ended, and gives its record; undefined when the run was never opened. The first end stands. */
export async function closeRun(
  ledger: Ledger,
  end: Pick<
    RunRecord,
    "status" | "finished" | "counts" | "throttled" | "message" | "warnings" | "brokenOff" | "suspect"
  >,
): Promise<RunRecord | undefined> {
  const text = await ledger.update(NAME, (current) => {
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
  const text = await ledger.update(NAME, (current) => {
    const record = parseRun(current, ledger);
    if (record.status !== "canceled" || record.counts) return undefined;
    return JSON.stringify({ ...record, counts } satisfies RunRecord);
  });
  if (text !== undefined) await indexRun(ledger.service, parseRun(text, ledger), "again");
}

/** Marks a run as forgotten by a prune, or takes that prune's mark back. The first mark stands. */
export async function markForgotten(ledger: Ledger, prune: string, forgotten: boolean): Promise<void> {
  const text = await ledger.update(NAME, (current) => {
    const { forgotten: by, ...record } = parseRun(current, ledger);
    if (by !== (forgotten ? undefined : prune)) return undefined;
    return JSON.stringify({ ...record, ...(forgotten ? { forgotten: prune } : {}) } satisfies RunRecord);
  });
  if (text !== undefined) await indexRun(ledger.service, parseRun(text, ledger), "again");
}

/** Whether a run was canceled: activities that are still queued then have nothing to do. One request. */
export async function isCanceled(ledger: Ledger): Promise<boolean> {
  return (await readRun(ledger))?.status === "canceled";
}

/** A run's summary, or undefined when there is no such run. */
export async function readRun(ledger: Ledger): Promise<RunRecord | undefined> {
  const text = await ledger.read(NAME);
  return text === undefined ? undefined : parseRun(text, ledger);
}
