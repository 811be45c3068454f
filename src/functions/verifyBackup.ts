import * as df from "durable-functions";
import { emptyTally, sum, type Tally } from "../model/outcome.ts";
import { conclude } from "../orchestration/conclude.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf, settleAll } from "../orchestration/settle.ts";
import { tallyResults } from "../orchestration/tally-results.ts";
import { handOut } from "../manifest/hand-out.ts";
import type { PlanInput } from "../manifest/plan.ts";
import { parseVerifyRequest, type VerifyRequest } from "../verify/request.ts";
import { verifyScope } from "../verify/verify-scope.ts";
import type { PlannedPart } from "../restore/planned-part.ts";

/**
 * Verifies that every file of a run is there with its size and MD5, and reads back as many as asked for. The output is
 * the number of files verified; where a file is missing, changed or corrupt it ends Failed after all others were seen to.
 */
df.app.orchestration("verifyBackup", function* (context) {
  // Only this orchestrator itself hands out parts; what comes from outside is a request.
  const isPart = Boolean(context.df.parentInstanceId);
  if (isPart) return yield* verify(context, context.df.getInput<PlanInput<VerifyRequest>>()!);

  const parsed = parseVerifyRequest(context.df.getInput());
  if (!parsed.ok) throw new Error(parsed.problem);
  const run = context.df.instanceId;
  context.df.setCustomStatus({ phase: "verifying", runId: run });
  const result = yield* verify(context, { run, part: "0", request: parsed.value });
  return (yield* conclude(context, result, { done: "as they were recorded" })).unchanged;
});

/** Verifies the whole run, or the part that is left to this orchestration. */
function* verify(context: df.OrchestrationContext, input: PlanInput<VerifyRequest>) {
  const { run, part } = input;
  let plan: PlannedPart;
  try {
    plan = yield context.df.callActivityWithRetry("planVerify", retry, input);
  } catch (error) {
    return stopped(reasonOf(error));
  }
  if (plan.problem !== undefined) return stopped(plan.problem);
  if (!input.left) {
    const { source, files, bytes, rest } = plan;
    const toRead = { files, bytes, complete: rest.length === 0 };
    context.df.setCustomStatus({ phase: "reading", runId: run, of: source.id, toRead });
  }

  const { batches, lanes, parts } = handOut(input, plan, verifyScope(plan.source));
  const reads = batches.map((batch) => context.df.callActivityWithRetry("verifyFiles", retry, batch));
  const large = lanes.map((lane) =>
    context.df.callSubOrchestrator("verifyLargeFiles", lane, `${run}:${part}:large-${lane.large}`),
  );
  const rest = parts.map((left) =>
    context.df.callSubOrchestrator("verifyBackup", left, `${run}:${left.part}`),
  );
  const results = yield* settleAll<Tally>(context, [...reads, ...large, ...rest]);
  return sum([plan.found, ...(yield* tallyResults(context, batches, results))]);
}

function stopped(reason: string): Tally {
  return { ...emptyTally(), stopped: reason };
}
