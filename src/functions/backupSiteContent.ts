import * as df from "durable-functions";
import type { ListInput } from "../backup/list-files.ts";
import { copyScope, parseBackupRequest } from "../backup/request.ts";
import type { ListingOwn } from "../ledger/listing.ts";
import type { Part } from "../ledger/part-kind.ts";
import { stopped, sum } from "../model/outcome.ts";
import { conclude } from "../orchestration/conclude.ts";
import { childId, handOut, orStopped, readWork, tallies } from "../orchestration/fan-out.ts";
import { retry } from "../orchestration/tasks.ts";

/** Backs up a directory tree. The output is the number of bytes copied. If a file fails, the run fails after copying the rest. */
df.app.orchestration("backupSiteContent", function* (context) {
  const input = readWork<ListInput>(context, parseBackupRequest);
  if (!input.left) context.df.setCustomStatus({ phase: "listing", runId: input.run });
  const result = yield* orStopped(backUp(context, input));
  if (input.left) return result;
  const { include, exclude, root } = input.request;
  const patterns = { include, exclude, of: root, roots: [root] } as const;
  return (yield* conclude(context, result, { backup: input.request, patterns })).bytes;
});

/** Lists the tree, copies its files in parallel batches, and starts itself on each part of the tree not listed yet. */
function* backUp(context: df.OrchestrationContext, input: ListInput) {
  const listing: Part<ListingOwn> = yield context.df.callActivityWithRetry("getFileList", retry, input);
  if (listing.problem !== undefined) return stopped(listing.problem);
  const { files, bytes } = listing;
  const listed = { files, bytes, complete: listing.rest.length === 0 };
  if (!input.left) context.df.setCustomStatus({ phase: "copying", runId: input.run, listed });

  const { batches, lanes, parts } = handOut(input, listing, copyScope(input.request, listing.own));
  const copies = batches.map((batch) => context.df.callActivityWithRetry("copyFileToBlob", retry, batch));
  const large = lanes.map((lane) => context.df.callSubOrchestrator("copyLargeFiles", lane, childId(lane)));
  const rest = parts.map((left) => context.df.callSubOrchestrator("backupSiteContent", left, childId(left)));
  return sum([listing.found, ...(yield* tallies(context, batches, [...copies, ...large, ...rest]))]);
}
