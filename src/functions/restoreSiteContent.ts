import * as df from "durable-functions";
import { emptyTally, sum, type Tally } from "../backup/outcome.ts";
import type { PartRef } from "../ledger/listing.ts";
import { conclude } from "../orchestration/conclude.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf, settleAll } from "../orchestration/settle.ts";
import { parseRestoreRequest, type RestoreRequest } from "../restore/request.ts";
import type { DirectoriesSlice } from "../restore/restore-directories.ts";
import type { Slice, SliceRef } from "../restore/delete-extra.ts";
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
  const done = result.extraStays ? `restored; ${EXTRA_STAYS}` : "restored";
  return (yield* conclude(context, result, { done })).bytes;
});

const EXTRA_STAYS = "what is extra was not deleted, for that is done when all else is restored";

/** What came of it, and whether what is extra was left because of that. */
type Restored = Tally & { extraStays?: true };

/** Restores the whole run, or the part that is left to this orchestration. */
function* restore(context: df.OrchestrationContext, part: PartRef, request?: RestoreRequest) {
  let plan: PlannedPart;
  let removed: Restored = emptyTally();
  // What a dry run would delete is in nobody's way.
  const deletesLast = request?.delete === true && !request.dryRun;
  try {
    plan = yield context.df.callActivityWithRetry("planRestore", retry, { ...part, request });
    if (plan.problem !== undefined) return stopped(plan.problem);
    if (request?.delete) removed = yield* deleteExtra(context, part.run, deletesLast);
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
  const result: Restored = sum([plan.found, removed, ...restored]);
  if (!request) return result;
  // What could not be restored may be there under another name, as something extra.
  const extraStays = deletesLast && (result.stopped !== undefined || result.counts.failed > 0);
  const extra = deletesLast && !extraStays ? yield* deleteLast(context, part.run) : emptyTally();
  // Last, for what is put into a directory, or removed from it, changes its time.
  const directories = yield* setDirectories(context, part.run);
  return { ...sum([result, extra, directories]), ...(extraStays ? { extraStays } : {}) } satisfies Restored;
}

/** Removes what is extra. @param inTheWay only what is in the way of what is to be restored */
function* deleteExtra(context: df.OrchestrationContext, run: string, inTheWay: boolean) {
  const tallies: Tally[] = [];
  for (let slice = 0; ; slice++) {
    const ref: SliceRef = { run, slice, ...(inTheWay ? { inTheWay } : {}) };
    const result: Slice = yield context.df.callActivityWithRetry("deleteExtra", retry, ref);
    tallies.push(result.tally);
    if (result.reached === undefined) return sum(tallies);
  }
}

function* deleteLast(context: df.OrchestrationContext, run: string) {
  try {
    return yield* deleteExtra(context, run, false);
  } catch (error) {
    return stopped(reasonOf(error));
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

function stopped(reason: string): Restored {
  return { ...emptyTally(), stopped: reason };
}
