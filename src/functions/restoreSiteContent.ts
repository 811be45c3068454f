import * as df from "durable-functions";
import type { Part } from "../ledger/settle-part.ts";
import type { PlanInput, PlanOwn } from "../manifest/plan.ts";
import type { SourceRun } from "../manifest/source-run.ts";
import { emptyTally, stopped, sum, type Tally } from "../model/outcome.ts";
import { conclude } from "../orchestration/conclude.ts";
import { childId, orStopped, readWork, tallies } from "../orchestration/fan-out.ts";
import { handOut } from "../orchestration/hand-out.ts";
import { inSlices } from "../orchestration/in-slices.ts";
import { retry } from "../orchestration/retry.ts";
import { parseRestoreRequest, type RestoreRequest } from "../restore/request.ts";
import { restoreScope } from "../restore/restore-scope.ts";

/** The activities of a restore; of a dry run, none of which can write anything but the ledger. */
const RESTORE = { plan: "planRestore", files: "restoreFiles", extra: "deleteExtra" };
const DRY_RUN = { plan: "previewRestore", files: "previewFiles", extra: "previewExtra" };

/** What was restored, of which run, and whether extra files were kept because some could not be restored. */
type Restored = Tally & { source?: SourceRun; extraStays?: true };

/** Restores a run into a directory, and gives the bytes restored. Fails, after all else was restored, where a file failed. */
df.app.orchestration("restoreSiteContent", function* (context) {
  const input = readWork<PlanInput<RestoreRequest>>(context, parseRestoreRequest);
  const { run, request, left } = input;
  if (!left) context.df.setCustomStatus({ phase: "planning", runId: run });
  const result: Restored = yield* orStopped((left ? restorePart : restoreWhole)(context, input));
  if (left) return result;
  const note = [result.note, unsetNote(result)].filter((some) => some !== undefined).join(" ");
  const { include, exclude, to, delete: deletes } = request;
  const { id = "", root = to } = result.source ?? {};
  const patterns = { include, exclude, of: `the run ${id}`, roots: [root, to], deletes } as const;
  const told: Tally = { ...result, ...(note === "" ? {} : { note }) };
  const done = result.extraStays ? "restored; extra files were kept, because some could not be" : "restored";
  return (yield* conclude(context, told, { done, patterns })).bytes;
});

function* plan(context: df.OrchestrationContext, input: PlanInput<RestoreRequest>) {
  const { plan: activity } = input.request.dryRun ? DRY_RUN : RESTORE;
  return (yield context.df.callActivityWithRetry(activity, retry, input)) as Part<PlanOwn>;
}

function* restorePart(context: df.OrchestrationContext, input: PlanInput<RestoreRequest>) {
  const part = yield* plan(context, input);
  return part.problem === undefined ? yield* restoreFiles(context, input, part) : stopped(part.problem);
}

/** Restores all files, then deletes what is extra, then sets directories: what is put into one changes its time. */
function* restoreWhole(context: df.OrchestrationContext, input: PlanInput<RestoreRequest>) {
  const { run, request } = input;
  const { dryRun, delete: deletes } = request;
  const part = yield* plan(context, input);
  if (part.problem !== undefined) return stopped(part.problem);
  const { own, files, bytes } = part;
  const { source } = own;
  const base = { run, request, ...own };
  const deleteExtra = (inTheWay: boolean) =>
    inSlices(context, (dryRun ? DRY_RUN : RESTORE).extra, { ...base, ...(inTheWay ? { inTheWay } : {}) });
  const setDirectories = (onlyMade = false) =>
    inSlices(context, "restoreDirectories", { ...base, ...(onlyMade ? { onlyMade } : {}) });

  // First only what is in the way. What a dry run would delete is in nobody's way.
  const removed = deletes ? yield* deleteExtra(!dryRun) : emptyTally();
  if (removed.stopped !== undefined) return dryRun ? removed : sum([removed, yield* setDirectories(true)]);
  const planned = { files, bytes, complete: part.rest.length === 0 };
  context.df.setCustomStatus({ phase: "restoring", runId: run, of: source.id, planned });
  const result = sum([removed, yield* restoreFiles(context, input, part)]);
  if (dryRun) return { ...result, source };

  // What could not be restored may be there under another name, as something extra.
  const extraStays = deletes && (result.stopped !== undefined || result.counts.failed > 0);
  const extra = deletes && !extraStays ? yield* deleteExtra(false) : emptyTally();
  const whole: Restored = { ...sum([result, extra, yield* setDirectories()]), source };
  return extraStays ? { ...whole, extraStays } : whole;
}

/** Restores files in parallel batches, and hands what was left to plan to the orchestrator itself. */
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

/** One sentence, however many there are; the outcome of each says why. */
function unsetNote({ unset = 0 }: Tally): string | undefined {
  if (unset === 0) return undefined;
  const which = unset === 1 ? "One file or directory is" : `${unset} files and directories are`;
  return `${which} restored without the recorded mode or time: the file system refused it, as the outcome of each says.`;
}
