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
  const { counts, throttled, note } = result;
  const words = [message, note].filter((some) => some !== undefined).join(" ") || undefined;
  const end: End = { run, status: ended, counts, throttled, message: words };
  let recorded = false;
  try {
    recorded = (yield context.df.callActivityWithRetry("closeBackup", retry, end)) as boolean;
  } catch (error) {
    // That the record could not be closed must not hide why the run failed.
    if (message === undefined) throw error;
  }
  // A run without a record is told of by this status; one whose record is gone later on was forgotten.
  const unrecorded = recorded ? {} : { recorded };
  context.df.setCustomStatus({ phase: ended, runId: run, ...status, counts, throttled, note, ...unrecorded });
  if (message !== undefined) throw new Error(message);
  return counts;
}
