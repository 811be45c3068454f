import * as df from "durable-functions";
import type { OrchestrationContext, Task } from "durable-functions";
import type { BatchRef } from "../ledger/part-record.ts";
import { stopped, sum, type Tally } from "../model/outcome.ts";

/** Milliseconds. Tests set less. */
// oxlint-disable-next-line no-restricted-globals -- read once, when the app loads, so that a replay sees the same
const FIRST_WAIT_MS = Number(process.env["BACKUP_ACTIVITY_RETRY_MS"] ?? 3_000);

/**
 * Tries an activity again after 3 s and after 6 s. Each try has already retried its storage requests for about 15 seconds, so
 * if storage is gone for good the run ends within two minutes.
 */
export const retry = new df.RetryOptions(FIRST_WAIT_MS, 3);
retry.backoffCoefficient = 2;

type Settled<T> = { value: T } | { error: string };

/**
 * Waits for all tasks, whether they succeed or fail; `Task.all` alone ends at the first failure and hides the others, and
 * throws if there are no tasks.
 */
export function* settleAll<T>(
  context: OrchestrationContext,
  tasks: Task[],
): Generator<Task, Settled<T>[], unknown> {
  if (tasks.length === 0) return [];
  try {
    const values = (yield context.df.Task.all(tasks)) as T[];
    return values.map((value) => ({ value }));
  } catch {
    const settled: Settled<T>[] = [];
    for (const task of tasks) {
      try {
        settled.push({ value: (yield task) as T });
      } catch (error) {
        settled.push({ error: reasonOf(error) });
      }
    }
    return settled;
  }
}

/** The message of a failed activity without the host's wrapping ("Activity function 'x' failed:  …" and a dump in JSON). */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const inner =
    /^(?:Activity|Orchestrator) function '[^']*' failed:\s*([\s\S]*)$/.exec(message)?.[1] ?? message;
  return (inner.split(" \n {", 1)[0] ?? inner).trim().slice(0, 1000);
}

/** Calls an activity for one slice after another, until nothing is left. */
export function* inSlices(
  context: OrchestrationContext,
  activity: string,
  ref: object,
): Generator<Task, Tally, unknown> {
  const done: Tally[] = [];
  try {
    for (let slice = 0; ; slice++) {
      const task = context.df.callActivityWithRetry(activity, retry, { ...ref, slice });
      const { tally, reached } = (yield task) as { tally: Tally; reached?: unknown };
      done.push(tally);
      if (reached === undefined) return sum(done);
    }
  } catch (error) {
    return sum([...done, stopped(reasonOf(error))]);
  }
}

/**
 * Records the files of each batch that failed as failed, and no others.
 * @param batches those that the first results belong to, in order
 * @returns the results, with what was recorded in place of a batch's error
 */
export function* withLostRecorded(
  context: OrchestrationContext,
  batches: readonly BatchRef[],
  results: Settled<Tally>[],
): Generator<Task, Settled<Tally>[], unknown> {
  const lost = batches.flatMap((batch, index) => {
    const result = results[index]!;
    return "error" in result ? [{ ...batch, reason: result.error }] : [];
  });
  const recorded = yield* settleAll<Tally>(
    context,
    lost.map((batch) => context.df.callActivity("failBatch", batch)),
  );
  return [...results.filter((result, index) => "value" in result || index >= batches.length), ...recorded];
}
