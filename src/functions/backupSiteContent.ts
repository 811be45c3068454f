import * as df from "durable-functions";
import { emptyTally, filesOf, sum, type Tally } from "../backup/outcome.ts";
import { parseBackupRequest, type BackupRequest } from "../backup/request.ts";
import type { PartRef } from "../ledger/listing.ts";
import type { End } from "./closeBackup.ts";
import type { FileList } from "./getFileList.ts";

/** Tries of an activity, of which each has retried its storage requests itself: after 3 s, then after 6 s. */
const retry = new df.RetryOptions(3_000, 3);
retry.backoffCoefficient = 2;

/**
 * Backs up a directory tree: lists it, copies its files in parallel batches, runs itself on what was left to list.
 * The output is the number of bytes copied; a run in which a file failed ends Failed after all else was copied.
 */
df.app.orchestration("backupSiteContent", function* (context) {
  // Only this orchestrator itself hands out parts; what comes from outside is a request.
  const isPart = Boolean(context.df.parentInstanceId);
  if (isPart) return yield* backUp(context, context.df.getInput<PartRef>()!);

  const parsed = parseBackupRequest(context.df.getInput());
  if (!parsed.ok) throw new Error(parsed.problem);
  const run = context.df.instanceId;
  context.df.setCustomStatus({ phase: "listing", runId: run });
  const result: Tally = yield* backUp(context, { run, part: "0" }, parsed.value);

  const message = verdict(result, run);
  const end: End = {
    run,
    status: message === undefined ? "completed" : "failed",
    counts: result.counts,
    message,
  };
  try {
    yield context.df.callActivityWithRetry("closeBackup", retry, end);
  } catch (error) {
    // The copies are made; that the record could not be closed is worth telling, not worth hiding why the run failed.
    if (message === undefined) throw error;
  }
  context.df.setCustomStatus({ phase: end.status, runId: run, counts: result.counts });
  if (message !== undefined) throw new Error(message);
  return result.counts.bytes;
});

// What a yield gives is the task's result, which the SDK types as any.
/* eslint-disable typescript/no-explicit-any */

/** Backs up the whole tree, or the part that is left to this orchestration. */
function* backUp(
  context: df.OrchestrationContext,
  part: PartRef,
  request?: BackupRequest,
): Generator<df.Task, Tally, any> {
  let listing: FileList;
  try {
    listing = yield context.df.callActivityWithRetry("getFileList", retry, { ...part, request });
  } catch (error) {
    return { ...emptyTally(), stopped: reason(error) };
  }
  if (listing.problem !== undefined) return { ...emptyTally(), stopped: listing.problem };
  if (request) {
    const { files, bytes, rest } = listing;
    context.df.setCustomStatus({
      phase: "copying",
      runId: part.run,
      listed: { files, bytes, complete: rest.length === 0 },
    });
  }

  const copies = listing.batches.map((batch) =>
    context.df.callActivityWithRetry("copyFileToBlob", retry, batch),
  );
  const rest = listing.rest.map((left) =>
    context.df.callSubOrchestrator("backupSiteContent", left, `${left.run}:${left.part}`),
  );
  const results = yield* all(context, [...copies, ...rest]);

  // A batch that could not be tried at all costs its own files, no others: they are recorded as failed.
  const lost = results.flatMap((result, index) => {
    const batch = listing.batches[index];
    return "error" in result && batch ? [{ batch, reason: result.error }] : [];
  });
  const recorded = yield* all(
    context,
    lost.map((input) => context.df.callActivity("failBatch", input)),
  );
  return sum([
    listing.found,
    ...[...results, ...recorded].map((result) => ("error" in result ? gaveUp(result.error) : result.value)),
  ]);
}

type Settled = { value: Tally } | { error: string };

/** Waits for all tasks, whether they succeed or fail. `Task.all` ends at the first failure: then each is asked by itself. */
function* all(context: df.OrchestrationContext, tasks: df.Task[]): Generator<df.Task, Settled[], any> {
  if (tasks.length === 0) return [];
  try {
    const values: Tally[] = yield context.df.Task.all(tasks);
    return values.map((value) => ({ value }));
  } catch {
    const settled: Settled[] = [];
    for (const task of tasks) {
      try {
        settled.push({ value: yield task });
      } catch (error) {
        settled.push({ error: reason(error) });
      }
    }
    return settled;
  }
}

/** Why the run failed, for people; undefined when it did not. */
function verdict(result: Tally, run: string): string | undefined {
  const { counts, failures, stopped } = result;
  if (stopped !== undefined) return stopped;
  if (counts.failed === 0) return undefined;
  const named = failures.join("; ");
  const more = counts.failed > failures.length ? `; and ${counts.failed - failures.length} more` : "";
  return `${counts.failed} of ${filesOf(counts)} files failed, the others are backed up. ${named}${more}. All of them: container backup-runs, ${run}/outcomes.`;
}

function gaveUp(stopped: string): Tally {
  return { ...emptyTally(), stopped };
}

/** The message of a failed activity without the host's wrapping ("Activity function 'x' failed:  …" and a dump in JSON). */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const inner =
    /^(?:Activity|Orchestrator) function '[^']*' failed:\s*([\s\S]*)$/.exec(message)?.[1] ?? message;
  return (inner.split(" \n {", 1)[0] ?? inner).trim().slice(0, 1000);
}
