import type { BackupRequest } from "../backup/request.ts";
import type { Counts } from "../backup/outcome.ts";
import type { Ledger } from "./ledger.ts";

export type RunStatus = "running" | "completed" | "failed" | "canceled";

export type RunKind = "backup" | "restore" | "verify";

/** A run's summary: `run.json`. Times are ISO 8601, UTC. */
export interface RunRecord {
  version: 1;
  id: string;
  /** What the run does; absent in a backup's. */
  kind?: RunKind;
  /** The run that is restored or verified. */
  of?: string;
  root: string;
  container: string;
  prefix: string;
  mode: BackupRequest["mode"];
  started: string;
  finished?: string;
  status: RunStatus;
  counts?: Counts;
  /** Why it failed. */
  message?: string;
}

const NAME = "run.json";

/** Records that a run has begun, once. */
export async function openRun(
  ledger: Ledger,
  request: Pick<BackupRequest, "root" | "container" | "prefix" | "mode">,
  what: { kind?: RunKind; of?: string } = {},
): Promise<{ versioned: boolean }> {
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
  return await ledger.writeOnce(NAME, JSON.stringify(record));
}

/** Records how a run ended, and gives its record. The first end stands. */
export async function closeRun(
  ledger: Ledger,
  end: { status: RunStatus; counts?: Counts; message?: string },
): Promise<RunRecord | undefined> {
  const record = await readRun(ledger);
  if (record === undefined || record.finished !== undefined) return record;
  const closed: RunRecord = { ...record, ...end, finished: new Date().toISOString() };
  await ledger.write(NAME, JSON.stringify(closed));
  return closed;
}

/** A run's summary, or undefined when there is no such run. */
export async function readRun(ledger: Ledger): Promise<RunRecord | undefined> {
  const text = await ledger.read(NAME);
  return text === undefined ? undefined : (JSON.parse(text) as RunRecord);
}
