import * as df from "durable-functions";
import { emptyTally, sum, type Tally } from "../model/outcome.ts";
import { conclude } from "../orchestration/conclude.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf, settleAll } from "../orchestration/settle.ts";
import { handOut } from "../manifest/hand-out.ts";
import type { PlanBase, PlanInput } from "../manifest/plan.ts";
import { parseRestoreRequest, type RestoreRequest } from "../restore/request.ts";
import type { SourceRun } from "../manifest/source-run.ts";
import { restoreScope } from "../restore/restore-scope.ts";
import type { DirectoriesRef, DirectoriesSlice } from "../restore/restore-directories.ts";
import type { Slice, SliceRef } from "../restore/extra.ts";
import { tallyResults } from "../orchestration/tally-results.ts";
import type { PlannedPart } from "../restore/planned-part.ts";

/**
 * Restores a run into a directory: plans which files and where their contents are, restores them in parallel batches,
 * runs itself on what was left to plan. The output is the number of bytes restored; a restore in which a file failed
 * ends Failed after all else was restored.
 */
df.app.orchestration("restoreSiteContent", function* (context) {
  // Only this orchestrator itself hands out parts; what comes from outside is a request.
  const isPart = Boolean(context.df.parentInstanceId);
  if (isPart) return yield* restore(context, context.df.getInput<PlanInput<RestoreRequest>>()!);

  const parsed = parseRestoreRequest(context.df.getInput());
  if (!parsed.ok) throw new Error(parsed.problem);
  const run = context.df.instanceId;
  context.df.setCustomStatus({ phase: "planning", runId: run });
  const result: Restored = yield* restore(context, { run, part: "0", request: parsed.value });
  const note = [result.note, unsetNote(result)].filter((some) => some !== undefined).join(" ");
  const done = result.extraStays ? `restored; ${EXTRA_STAYS}` : "restored";
  const { include, exclude, to } = parsed.value;
  const { id = "", root = to } = result.source ?? {};
  const patterns = {
    include,
    exclude,
    of: `the run ${id}`,
    roots: [root, to],
    deletes: parsed.value.delete,
  } as const;
  const told: Tally = { ...result, ...(note === "" ? {} : { note }) };
  return (yield* conclude(context, told, { done, patterns })).bytes;
});

const EXTRA_STAYS = "what is extra was not deleted, for that is done when all else is restored";

/** One sentence, however many there are; the outcome of each says why. */
function unsetNote({ unset = 0 }: Tally): string | undefined {
  if (unset === 0) return undefined;
  const which = unset === 1 ? "One file or directory is" : `${unset} files and directories are`;
  return `${which} restored without the recorded mode or time: the file system refused it, as the outcome of each says.`;
}

/** The activities of a restore; of a dry run, none of which can write anything but the ledger. */
const RESTORE = { plan: "planRestore", files: "restoreFiles", extra: "deleteExtra" };
const DRY_RUN = { plan: "previewRestore", files: "previewFiles", extra: "previewExtra" };

function activitiesOf({ dryRun }: RestoreRequest): typeof RESTORE {
  return dryRun ? DRY_RUN : RESTORE;
}

/** What came of it, of which run, and whether what is extra was left because of that. */
type Restored = Tally & { source?: SourceRun; extraStays?: true };

/** Restores the whole run, or the part that is left to this orchestration. */
function* restore(context: df.OrchestrationContext, input: PlanInput<RestoreRequest>) {
  const { run, part, request } = input;
  const isWhole = !input.left;
  const activities = activitiesOf(request);
  let plan: PlannedPart;
  let removed: Restored = emptyTally();
  // What a dry run would delete is in nobody's way.
  const deletesLast = isWhole && request.delete && !request.dryRun;
  try {
    plan = yield context.df.callActivityWithRetry(activities.plan, retry, input);
    if (plan.problem !== undefined) return stopped(plan.problem);
    if (isWhole && request.delete)
      removed = yield* deleteExtra(context, run, baseOf(request, plan), deletesLast);
  } catch (error) {
    return stopped(reasonOf(error));
  }
  const base = baseOf(request, plan);
  if (removed.stopped !== undefined) {
    if (request.dryRun) return removed;
    return sum([removed, yield* setDirectories(context, { run, ...base, onlyMade: true })]);
  }
  if (isWhole) {
    const { source, files, bytes, rest } = plan;
    const planned = { files, bytes, complete: rest.length === 0 };
    context.df.setCustomStatus({ phase: "restoring", runId: run, of: source.id, planned });
  }

  const { batches, lanes, parts } = handOut(input, plan, restoreScope(request, plan));
  const files = batches.map((batch) => context.df.callActivityWithRetry(activities.files, retry, batch));
  const large = lanes.map((lane) =>
    context.df.callSubOrchestrator("restoreLargeFiles", lane, `${run}:${part}:large-${lane.large}`),
  );
  const rest = parts.map((left) =>
    context.df.callSubOrchestrator("restoreSiteContent", left, `${run}:${left.part}`),
  );
  const results = yield* settleAll<Tally>(context, [...files, ...large, ...rest]);
  const restored = yield* tallyResults(context, batches, results);
  const result: Restored = sum([plan.found, removed, ...restored]);
  if (!isWhole) return result;
  if (request.dryRun) return { ...result, source: plan.source };
  // What could not be restored may be there under another name, as something extra.
  const extraStays = deletesLast && (result.stopped !== undefined || result.counts.failed > 0);
  const extra = deletesLast && !extraStays ? yield* deleteLast(context, run, base) : emptyTally();
  // Last, for what is put into a directory, or removed from it, changes its time.
  const directories = yield* setDirectories(context, { run, ...base });
  const whole: Restored = { ...sum([result, extra, directories]), source: plan.source };
  return extraStays ? { ...whole, extraStays } : whole;
}

type Base = PlanBase<RestoreRequest>;

function baseOf(request: RestoreRequest, { source, realTo, made }: PlannedPart): Base {
  return { request, source, realTo, ...(made === undefined ? {} : { made }) };
}

/** Removes what is extra. @param inTheWay only what is in the way of what is to be restored */
function* deleteExtra(context: df.OrchestrationContext, run: string, base: Base, inTheWay: boolean) {
  const tallies: Tally[] = [];
  for (let slice = 0; ; slice++) {
    const ref: SliceRef = { run, slice, ...base, ...(inTheWay ? { inTheWay } : {}) };
    const result: Slice = yield context.df.callActivityWithRetry(
      activitiesOf(base.request).extra,
      retry,
      ref,
    );
    tallies.push(result.tally);
    if (result.reached === undefined) return sum(tallies);
  }
}

function* deleteLast(context: df.OrchestrationContext, run: string, base: Base) {
  try {
    return yield* deleteExtra(context, run, base, false);
  } catch (error) {
    return stopped(reasonOf(error));
  }
}

/** Gives directories their modes and times back. */
function* setDirectories(context: df.OrchestrationContext, ref: Omit<DirectoriesRef, "slice">) {
  const tallies: Tally[] = [];
  for (let slice = 0; ; slice++) {
    let result: DirectoriesSlice;
    try {
      const input: DirectoriesRef = { ...ref, slice };
      result = yield context.df.callActivityWithRetry("restoreDirectories", retry, input);
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
