import * as df from "durable-functions";
import { emptyTally, sum, verdict, type Tally } from "../backup/outcome.ts";
import type { PartRef } from "../ledger/listing.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf, settleAll } from "../orchestration/settle.ts";
import { parseRestoreRequest, type RestoreRequest } from "../restore/request.ts";
import type { Slice } from "../restore/delete-extra.ts";
import type { End } from "./closeBackup.ts";
import { tallyResults } from "../orchestration/tally-results.ts";
import type { PlannedPart } from "./planRestore.ts";

/**
 * Restores a run into a directory: plans which files and where their contents are, restores them in parallel batches,
 * runs itself on what was left to plan. The output is the number of bytes restored; a restore in which a file failed
 * ends Failed after all else was restored.
 */
df.app.orchestration("restoreSiteContent", function* (context) {
  // Only this orchestrator itself hands out parts; what comes from outside is a request.
  const isPart = Boolean(context.df.parentInstanceId);
  if (isPart) return yield* restore(context, context.df.getInput<PartRef>()!);

  const parsed = parseRestoreRequest(context.df.getInput());
  if (!parsed.ok) throw new Error(parsed.problem);
  const run = context.df.instanceId;
  context.df.setCustomStatus({ phase: "planning", runId: run });
  const result = yield* restore(context, { run, part: "0" }, parsed.value);

  const message = verdict(result, run, "restored");
  const status = message === undefined ? "completed" : "failed";
  const { counts, throttled } = result;
  const end: End = { run, status, counts, throttled, message };
  try {
    yield context.df.callActivityWithRetry("closeBackup", retry, end);
  } catch (error) {
    // That the record could not be closed must not hide why the restore failed.
    if (message === undefined) throw error;
  }
  context.df.setCustomStatus({ phase: status, runId: run, counts, throttled });
  if (message !== undefined) throw new Error(message);
  return counts.bytes;
});

/** Restores the whole run, or the part that is left to this orchestration. */
function* restore(context: df.OrchestrationContext, part: PartRef, request?: RestoreRequest) {
  let plan: PlannedPart;
  let removed = emptyTally();
  try {
    plan = yield context.df.callActivityWithRetry("planRestore", retry, { ...part, request });
    if (plan.problem !== undefined) return stopped(plan.problem);
    if (request?.delete) removed = yield* deleteExtra(context, part.run);
  } catch (error) {
    return stopped(reasonOf(error));
  }
  if (removed.stopped !== undefined) return removed;
  if (request) {
    const { of, files, bytes, rest } = plan;
    const planned = { files, bytes, complete: rest.length === 0 };
    context.df.setCustomStatus({ phase: "restoring", runId: part.run, of, planned });
  }

  const batches = plan.batches.map((batch) => context.df.callActivityWithRetry("restoreFiles", retry, batch));
  const rest = plan.rest.map((left) =>
    context.df.callSubOrchestrator("restoreSiteContent", left, `${left.run}:${left.part}`),
  );
  const results = yield* settleAll<Tally>(context, [...batches, ...rest]);
  return sum([plan.found, removed, ...(yield* tallyResults(context, plan.batches, results))]);
}

/** Removes what is extra before anything is restored, so that nothing is in the way of what is. */
function* deleteExtra(context: df.OrchestrationContext, run: string) {
  const tallies: Tally[] = [];
  for (let slice = 0; ; slice++) {
    const result: Slice = yield context.df.callActivityWithRetry("deleteExtra", retry, { run, slice });
    tallies.push(result.tally);
    if (result.reached === undefined) return sum(tallies);
  }
}

function stopped(reason: string): Tally {
  return { ...emptyTally(), stopped: reason };
}
