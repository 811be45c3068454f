import * as df from "durable-functions";
import type { Part } from "../ledger/part-kind.ts";
import type { PlanInput, PlanOwn } from "../manifest/plan-record.ts";
import { stopped, sum } from "../model/outcome.ts";
import { conclude } from "../orchestration/conclude.ts";
import { childId, handOut, orStopped, readWork, tallies } from "../orchestration/fan-out.ts";
import { retry } from "../orchestration/tasks.ts";
import { parseVerifyRequest, type VerifyRequest } from "../verify/request.ts";

/**
 * Verifies that every file of a run is there with its size and MD5, and reads back as many as the request says. The output is
 * the number of files verified. If one is missing, changed or corrupt, the run fails after verifying the rest.
 */
df.app.orchestration("verifyBackup", function* (context) {
  const input = readWork<PlanInput<VerifyRequest>>(context, parseVerifyRequest);
  if (!input.left) context.df.setCustomStatus({ phase: "verifying", runId: input.run });
  const result = yield* orStopped(verify(context, input));
  if (input.left) return result;
  return (yield* conclude(context, result, { done: "as they were recorded" })).unchanged;
});

/** Looks up all contents, reads some back in parallel batches, and starts itself on each part not planned yet. */
function* verify(context: df.OrchestrationContext, input: PlanInput<VerifyRequest>) {
  const plan: Part<PlanOwn> = yield context.df.callActivityWithRetry("planVerify", retry, input);
  if (plan.problem !== undefined) return stopped(plan.problem);
  const { own, files, bytes } = plan;
  const toRead = { files, bytes, complete: plan.rest.length === 0 };
  if (!input.left)
    context.df.setCustomStatus({ phase: "reading", runId: input.run, of: own.source.id, toRead });

  const { container, prefix, layout } = own.source;
  const { batches, lanes, parts } = handOut(input, plan, { container, prefix, layout });
  const reads = batches.map((batch) => context.df.callActivityWithRetry("verifyFiles", retry, batch));
  const large = lanes.map((lane) => context.df.callSubOrchestrator("verifyLargeFiles", lane, childId(lane)));
  const rest = parts.map((left) => context.df.callSubOrchestrator("verifyBackup", left, childId(left)));
  return sum([plan.found, ...(yield* tallies(context, batches, [...reads, ...large, ...rest]))]);
}
