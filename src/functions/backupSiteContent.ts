import * as df from "durable-functions";
import { handOut } from "../backup/hand-out.ts";
import type { LargeFileRef } from "../backup/large-file/plan.ts";
import type { ListInput } from "../backup/list-files.ts";
import { emptyTally, sum, type Tally } from "../model/outcome.ts";
import { parseBackupRequest } from "../backup/request.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { conclude } from "../orchestration/conclude.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf, settleAll } from "../orchestration/settle.ts";
import type { FileList } from "../backup/file-list.ts";

/**
 * Backs up a directory tree: lists it, copies its files in parallel batches, runs itself on what was left to list.
 * The output is the number of bytes copied; a run in which a file failed ends Failed after all else was copied.
 */
df.app.orchestration("backupSiteContent", function* (context) {
  // Only this orchestrator itself hands out parts; what comes from outside is a request.
  const isPart = Boolean(context.df.parentInstanceId);
  if (isPart) return yield* backUp(context, context.df.getInput<ListInput>()!);

  const parsed = parseBackupRequest(context.df.getInput());
  if (!parsed.ok) throw new Error(parsed.problem);
  const run = context.df.instanceId;
  context.df.setCustomStatus({ phase: "listing", runId: run });
  const result = yield* backUp(context, { run, part: "0", request: parsed.value });
  const { include, exclude, root } = parsed.value;
  const patterns = { include, exclude, of: root, roots: [root] } as const;
  return (yield* conclude(context, result, { backup: parsed.value, patterns })).bytes;
});

/** Backs up the whole tree, or the part that is left to this orchestration. */
function* backUp(context: df.OrchestrationContext, input: ListInput) {
  const { run, part } = input;
  let listing: FileList;
  try {
    listing = yield context.df.callActivityWithRetry("getFileList", retry, input);
  } catch (error) {
    return stopped(reasonOf(error));
  }
  if (listing.problem !== undefined) return stopped(listing.problem);
  if (!input.left) {
    const { files, bytes, rest } = listing;
    const listed = { files, bytes, complete: rest.length === 0 };
    context.df.setCustomStatus({ phase: "copying", runId: run, listed });
  }

  const { batches, files, parts } = handOut(input, listing);
  const copies = batches.map((batch) => context.df.callActivityWithRetry("copyFileToBlob", retry, batch));
  const large = files.map((file) =>
    context.df.callSubOrchestrator("copyLargeFile", file, `${run}:${part}:large-${file.large}`),
  );
  const rest = parts.map((left) =>
    context.df.callSubOrchestrator("backupSiteContent", left, `${run}:${left.part}`),
  );
  const results: Settled[] = yield* settleAll<Tally>(context, [...copies, ...large, ...rest]);
  const done = results.flatMap((result) => ("value" in result ? [result.value] : []));
  return sum([listing.found, ...done, ...(yield* recordLost(context, batches, files, results))]);
}

type Settled = { value: Tally } | { error: string };

/** What could not be tried at all, however often, costs its own files and no others: they are recorded as failed. */
function* recordLost(
  context: df.OrchestrationContext,
  batches: readonly BatchRef[],
  large: readonly LargeFileRef[],
  results: Settled[],
) {
  const reasons: string[] = [];
  const records = results.flatMap((result, index) => {
    if ("value" in result) return [];
    const reason = result.error;
    const batch = batches[index];
    const file = large[index - batches.length];
    if (batch) return [context.df.callActivity("failBatch", { ...batch, reason })];
    if (file) return [context.df.callActivity("failLargeFile", { ...file, reason })];
    reasons.push(reason);
    return [];
  });
  const recorded: Settled[] = yield* settleAll<Tally>(context, records);
  return [...recorded.map((it) => ("value" in it ? it.value : stopped(it.error))), ...reasons.map(stopped)];
}

function stopped(reason: string): Tally {
  return { ...emptyTally(), stopped: reason };
}
