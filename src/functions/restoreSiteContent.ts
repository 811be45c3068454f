import * as df from "durable-functions";
import type { Part } from "../ledger/part-kind.ts";
import type { PlanInput, PlanOwn } from "../manifest/plan-record.ts";
import type { SourceRun } from "../manifest/source-run.ts";
import { emptyTally, stopped, sum, type Tally } from "../model/outcome.ts";
import { conclude } from "../orchestration/conclude.ts";
import { childId, handOut, orStopped, readWork, tallies } from "../orchestration/fan-out.ts";
import { inSlices, retry } from "../orchestration/tasks.ts";
import { parseRestoreRequest, restoreScope, type RestoreRequest } from "../restore/request.ts";
import { unsetNote } from "../restore/unset-note.ts";

/** The activities of a restore. Those of a dry run can write to the ledger only. */
const RESTORE = { plan: "planRestore", files: "restoreFiles", extra: "deleteExtra" };
const DRY_RUN = { plan: "previewRestore", files: "previewFiles", extra: "previewExtra" };

/** `extraStays`: extra files were kept, because some files could not be restored. */
type Restored = Tally & { source?: SourceRun; extraStays?: true };

/** Restores a run. The output is the number of bytes restored. If a file fails, the run fails after restoring the rest. */
df.app.orchestration("restoreSiteContent", function* (context) {
  const input = readWork<PlanInput<RestoreRequest>>(context, parseRestoreRequest);
  const { run, request, left } = input;
  if (!left) context.df.setCustomStatus({ phase: "planning", runId: run });
  const result: Restored = yield* orStopped(restore(context, input));
  if (left) return result;
  const note = [result.note, unsetNote(result)].filter((some) => some !== undefined).join(" ");
  const { include, exclude, path, to, delete: deletes } = request;
  const { id = "", root = to } = result.source ?? {};
  const patterns = { include, exclude, path, of: `the run ${id}`, roots: [root, to], deletes } as const;
  const noted: Tally = { ...result, ...(note === "" ? {} : { note }) };
  const done = result.extraStays ? "restored; extra files were kept, because some could not be" : "restored";
  return (yield* conclude(context, noted, { done, patterns })).bytes;
});

function* restore(context: df.OrchestrationContext, input: PlanInput<RestoreRequest>) {
  const { plan } = input.request.dryRun ? DRY_RUN : RESTORE;
  const part: Part<PlanOwn> = yield context.df.callActivityWithRetry(plan, retry, input);
  if (part.problem !== undefined) return stopped(part.problem);
  return yield* (input.left ? restoreFiles : restoreWhole)(context, input, part);
}

/** Restores all files, deletes what is extra, and sets modes and times of directories last: writing into one changes its time. */
function* restoreWhole(
  context: df.OrchestrationContext,
  input: PlanInput<RestoreRequest>,
  part: Part<PlanOwn>,
) {
  const { run, request } = input;
  const { dryRun, delete: deletes } = request;
  const { own, files, bytes } = part;
  const { source } = own;
  const base = { run, request, ...own };
  const deleteExtra = (inTheWay: boolean) =>
    inSlices(context, (dryRun ? DRY_RUN : RESTORE).extra, { ...base, ...(inTheWay ? { inTheWay } : {}) });
  const setDirectories = (onlyMade = false) =>
    inSlices(context, "restoreDirectories", { ...base, ...(onlyMade ? { onlyMade } : {}) });

  // First only what is in the way. A dry run lists everything extra here, because nothing gets in its way.
  const removed = deletes ? yield* deleteExtra(!dryRun) : emptyTally();
  if (removed.stopped !== undefined) return dryRun ? removed : sum([removed, yield* setDirectories(true)]);
  const planned = { files, bytes, complete: part.rest.length === 0 };
  context.df.setCustomStatus({ phase: "restoring", runId: run, of: source.id, planned });
  const result = sum([removed, yield* restoreFiles(context, input, part)]);
  if (dryRun) return { ...result, source };

  // An extra file may be the only copy of one that could not be restored.
  const extraStays = deletes && (result.stopped !== undefined || result.counts.failed > 0);
  const extra = deletes && !extraStays ? yield* deleteExtra(false) : emptyTally();
  const whole: Restored = { ...sum([result, extra, yield* setDirectories()]), source };
  return extraStays ? { ...whole, extraStays } : whole;
}

/** Restores files in parallel batches, and starts the orchestrator itself on each part not planned yet. */
function* restoreFiles(
  context: df.OrchestrationContext,
  input: PlanInput<RestoreRequest>,
  part: Part<PlanOwn>,
) {
  const { batches, lanes, parts } = handOut(input, part, restoreScope(input.request, part.own));
  const { files } = input.request.dryRun ? DRY_RUN : RESTORE;
  const restores = batches.map((batch) => context.df.callActivityWithRetry(files, retry, batch));
  const large = lanes.map((lane) => context.df.callSubOrchestrator("restoreLargeFiles", lane, childId(lane)));
  const rest = parts.map((left) => context.df.callSubOrchestrator("restoreSiteContent", left, childId(left)));
  return sum([part.found, ...(yield* tallies(context, batches, [...restores, ...large, ...rest]))]);
}
