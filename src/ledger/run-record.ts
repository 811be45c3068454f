import { z } from "zod";
import { LAYOUTS, LEDGER_ID, type Layout } from "../model/names.ts";
import type { Counts } from "../model/outcome.ts";
import { BACKUP_MODES, type BackupMode } from "../model/request-fields.ts";
import { DamagedRecord, readRecord } from "./damaged.ts";
import type { Ledger } from "./ledger.ts";
import { RUN_RECORD } from "./names.ts";
import { counts } from "./schemas.ts";

export const RUN_STATUSES = ["running", "completed", "failed", "canceled", "skipped"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const RUN_KINDS = ["backup", "restore", "verify", "prune"] as const;
type RunKind = (typeof RUN_KINDS)[number];

/** What an incremental backup compared its files with: the record of a run, or the destination, and why that. */
export type ComparedWith = { run: string } | { destination: true; because: string };

/** A run's summary: `run.json`. Times are ISO 8601, UTC. */
export interface RunRecord {
  version: 1;
  id: string;
  /** The app whose durable engine runs it; see appIdentity. Absent in records of older versions. */
  app?: string;
  /** Absent for a backup. */
  kind?: RunKind;
  /** The backup that a restore or verification reads. */
  of?: string;
  /** A restore or prune that only reports what it would do. */
  dryRun?: boolean;
  root: string;
  container: string;
  prefix: string;
  /** Absent for `files`, also in records of older versions. */
  layout?: Layout;
  mode: BackupMode;
  started: string;
  finished?: string;
  status: RunStatus;
  counts?: Counts;
  /** Requests that storage throttled or left unanswered, and that were sent again; absent if there were none. */
  throttled?: number;
  /** Why the run failed or was skipped, and any note. */
  message?: string;
  /** Likely mistakes, such as a pattern that matched nothing; absent if there are none. */
  warnings?: string[];
  /** Of a backup that was to compare with a record; see findBase. */
  comparedWith?: ComparedWith;
  /** The run stopped before it had tried every file. */
  brokenOff?: true;
  /** A backup that found so few files that it does not count as one; see suspicionOf. */
  suspect?: true;
  /** The prune that forgot the run, and is deleting what only it needs. It can no longer be restored. */
  forgotten?: string;
}

export const comparedWith = z.union([
  z.object({ run: z.string() }),
  z.object({ destination: z.literal(true), because: z.string() }),
]);

/** What is checked of a record. A newer version's may have more fields. */
export const runRecord = z.looseObject({
  id: z.string().regex(LEDGER_ID),
  app: z.string().optional(),
  kind: z.enum(RUN_KINDS).optional(),
  of: z.string().optional(),
  root: z.string(),
  container: z.string().regex(/^[a-z0-9$-]{1,63}$/),
  prefix: z.string().refine((value) => value.isWellFormed(), "it is not valid Unicode"),
  layout: z.enum(LAYOUTS).optional(),
  mode: z.enum(BACKUP_MODES),
  started: z.iso.datetime(),
  finished: z.iso.datetime().optional(),
  status: z.enum(RUN_STATUSES),
  counts: counts.optional(),
  message: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  comparedWith: comparedWith.optional(),
  brokenOff: z.literal(true).optional(),
  suspect: z.literal(true).optional(),
});

/** @throws DamagedRecord, NewerLedger */
export function parseRun(text: string, ledger: Ledger): RunRecord {
  const name = `${ledger.runId}/${RUN_RECORD}`;
  const record = readRecord<RunRecord>(text, runRecord, name);
  if (record.id !== ledger.runId) throw new DamagedRecord(name, "it is the record of another run");
  return record;
}

/** Whether a run was canceled, so that its queued activities have nothing to do. One request. */
export async function isCanceled(ledger: Ledger): Promise<boolean> {
  return (await readRun(ledger))?.status === "canceled";
}

/** A run's summary, or undefined if there is no such run. */
export async function readRun(ledger: Ledger): Promise<RunRecord | undefined> {
  const text = await ledger.read(RUN_RECORD);
  return text === undefined ? undefined : parseRun(text, ledger);
}
