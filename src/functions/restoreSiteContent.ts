import * as df from "durable-functions";
import { emptyTally, sum, type Tally } from "../backup/outcome.ts";
import type { PartRef } from "../ledger/listing.ts";
import { conclude } from "../orchestration/conclude.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf, settleAll } from "../orchestration/settle.ts";
import { parseRestoreRequest, type RestoreRequest } from "../restore/request.ts";
import type { DirectoriesSlice } from "../restore/restore-directories.ts";
import type { Slice } from "../restore/delete-extra.ts";
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
  return (yield* conclude(context, result, "restored")).bytes;
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
  const large = plan.large.map((lane) =>
    context.df.callSubOrchestrator("restoreLargeFiles", lane, `${lane.run}:${lane.part}:large-${lane.large}`),
  );
  const rest = plan.rest.map((left) =>
    context.df.callSubOrchestrator("restoreSiteContent", left, `${left.run}:${left.part}`),
  );
  const results = yield* settleAll<Tally>(context, [...batches, ...large, ...rest]);
  const restored = yield* tallyResults(context, plan.batches, results);
  // Last, for what is put into a directory changes its time.
  const directories = request ? yield* setDirectories(context, part.run) : emptyTally();
  return sum([plan.found, removed, ...restored, directories]);
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

/** Gives directories their modes and times back. */
function* setDirectories(context: df.OrchestrationContext, run: string) {
  const tallies: Tally[] = [];
  for (let slice = 0; ; slice++) {
    let result: DirectoriesSlice;
    try {
      result = yield context.df.callActivityWithRetry("restoreDirectories", retry, { run, slice });
    } catch (error) {
      return sum([...tallies, stopped(reasonOf(error))]);
    }
    tallies.push(result.tally);
    if (result.reached === undefined) return sum(tallies);
  }
}

function stopped(reason: string): Tally {
  return { ...emptyTally(), stopped: reason };
}
