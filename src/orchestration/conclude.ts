import type { OrchestrationContext, Task } from "durable-functions";
import { verdict, type Counts, type Tally } from "../model/outcome.ts";
import type { BackupRequest } from "../backup/request.ts";
import type { Closed, End } from "../ledger/close-backup.ts";
import { judgePatterns, type Asked } from "../model/pattern-warnings.ts";
import type { PruneRequest } from "../prune/request.ts";
import { retry } from "./retry.ts";

/** How the end of a kind of run is told. */
interface Told {
  /** What the files are that did not fail, for people. */
  done?: string;
  /** What the custom status says beside the phase and the counts. */
  status?: Record<string, unknown>;
  /** What a backup was asked for: it lets go of its destination, and what it found is held against the last good run. */
  backup?: BackupRequest;
  /** What a prune was asked for: it lets backups into its destination again. */
  prune?: PruneRequest;
  /** Which files were asked for. */
  patterns?: Asked;
}

/** Ends a run: closes its record, and fails where something of it failed. Gives the counts of one in which nothing did. */
export function* conclude(
  context: OrchestrationContext,
  result: Tally,
  { done, status = {}, backup, prune, patterns }: Told = {},
): Generator<Task, Counts, unknown> {
  const run = context.df.instanceId;
  const { counts, throttled, note } = result;
  const { warnings = [], stopped = result.stopped } = patterns ? judgePatterns(patterns, result) : {};
  const failure = verdict({ ...result, stopped }, run, done);
  const end: End = {
    run,
    status: failure === undefined ? "completed" : "failed",
    counts,
    throttled,
    message: [failure, note].filter((some) => some !== undefined).join(" ") || undefined,
    ...(warnings.length === 0 ? {} : { warnings }),
    // One that was broken off does not count anyway.
    ...(stopped === undefined ? { backup } : { brokenOff: true }),
    claimed: placeOf(backup),
    locked: placeOf(prune),
  };
  let closed: Closed = {};
  try {
    closed = (yield context.df.callActivityWithRetry("closeBackup", retry, end)) as Closed;
  } catch (error) {
    // That the record could not be closed must not hide why the run failed.
    if (failure === undefined) throw error;
  }
  const { suspicion, canceled } = closed;
  const message = canceled ? `The run ${run} was canceled.` : (suspicion ?? failure);
  context.df.setCustomStatus({
    phase: canceled ? "canceled" : message === undefined ? "completed" : "failed",
    runId: run,
    ...status,
    counts,
    throttled,
    note,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(suspicion === undefined ? {} : { suspect: true }),
  });
  if (message !== undefined) throw new Error(message);
  return counts;
}

function placeOf(request: BackupRequest | PruneRequest | undefined): End["claimed"] {
  return request && { container: request.container, prefix: request.prefix };
}
