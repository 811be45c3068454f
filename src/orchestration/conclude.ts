import type { OrchestrationContext, Task } from "durable-functions";
import { verdict, type Counts, type Tally } from "../backup/outcome.ts";
import type { End } from "../functions/closeBackup.ts";
import { retry } from "./retry.ts";

/**
 * Ends a run: closes its record, and fails where something of it failed. Gives the counts of one in which nothing did.
 * @param done what the files are that did not fail, for people
 * @param status what the custom status says beside the phase and the counts
 */
export function* conclude(
  context: OrchestrationContext,
  result: Tally,
  done?: string,
  status: Record<string, unknown> = {},
): Generator<Task, Counts, unknown> {
  const run = context.df.instanceId;
  const message = verdict(result, run, done);
  const ended = message === undefined ? "completed" : "failed";
  const { counts, throttled } = result;
  const end: End = { run, status: ended, counts, throttled, message };
  try {
    yield context.df.callActivityWithRetry("closeBackup", retry, end);
  } catch (error) {
    // That the record could not be closed must not hide why the run failed.
    if (message === undefined) throw error;
  }
  context.df.setCustomStatus({ phase: ended, runId: run, ...status, counts, throttled });
  if (message !== undefined) throw new Error(message);
  return counts;
}
