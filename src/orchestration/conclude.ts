import type { OrchestrationContext, Task } from "durable-functions";
import type { BackupRequest } from "../backup/request.ts";
import type { Closed, End } from "../ledger/end-run.ts";
import { verdict, type Counts, type Tally } from "../model/outcome.ts";
import { judgePatterns, type Asked } from "../model/pattern-warnings.ts";
import type { PruneRequest } from "../prune/request.ts";
import { retry } from "./tasks.ts";

/** What the end of a run depends on, by its kind. */
interface Ending {
  /** What happened to the files that did not fail, for messages: "restored". */
  done?: string;
  /** What the custom status says beside the phase and the counts. */
  status?: Record<string, unknown>;
  /** A backup's request: its destination is released, and its counts are compared with the last good run's. */
  backup?: BackupRequest;
  /** A prune's request: its lock is released. */
  prune?: PruneRequest;
  /** The patterns of the request, to warn of those that matched nothing. */
  patterns?: Asked;
}

/** Ends a run: closes its record and returns its counts. @throws Error if anything failed, was canceled or is suspect */
export function* conclude(
  context: OrchestrationContext,
  result: Tally,
  { done, status = {}, backup, prune, patterns }: Ending = {},
): Generator<Task, Counts, unknown> {
  const run = context.df.instanceId;
  const { counts, throttled, note } = result;
  const { warnings, stopped = result.stopped } = patterns ? judgePatterns(patterns, result) : {};
  const warned = warnings?.length ? { warnings } : {};
  const failure = verdict({ ...result, stopped }, run, done);
  const end: End = {
    run,
    status: failure === undefined ? "completed" : "failed",
    counts,
    throttled,
    message: [failure, note].filter((some) => some !== undefined).join(" ") || undefined,
    ...warned,
    ...(stopped === undefined ? {} : { brokenOff: true }),
    backup,
    prune,
  };
  let closed: Closed = {};
  try {
    closed = (yield context.df.callActivityWithRetry("endRun", retry, end)) as Closed;
  } catch (error) {
    // Why the run failed matters more than that its record could not be closed.
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
    ...warned,
    ...(suspicion === undefined ? {} : { suspect: true }),
  });
  if (message !== undefined) throw new Error(message);
  return counts;
}
