/** The life of a run's record: opened, closed, and kept in step with the index of runs. */
import { emptyCounts, type Counts } from "../model/outcome.ts";
import { ChangedRecord } from "./damaged.ts";
import type { Ledger } from "./ledger.ts";
import { indexRun } from "./run-index.ts";
import { parseRun, readRun, type RunKind, type RunRecord } from "./run-record.ts";
import { RUN_RECORD } from "./names.ts";

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
  const written = await ledger.writeOnce(RUN_RECORD, JSON.stringify(record));
  // Another delivery may have ended between the two.
  const standing = written.won ? record : ((await readRun(ledger)) ?? record);
  const differs = (["kind", "root", "container", "prefix", "mode", "dryRun"] as const).some(
    (field) => standing[field] !== record[field],
  );
  if (differs) throw new ChangedRecord(`${ledger.runId}/${RUN_RECORD}`);
  await indexRun(ledger.service, standing, "first");
  const versioned = written.won ? written.versioned : await ledger.isVersioned(RUN_RECORD);
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
  await ledger.writeOnce(RUN_RECORD, JSON.stringify(record));
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
