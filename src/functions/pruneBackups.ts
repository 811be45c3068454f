import * as df from "durable-functions";
import { emptyTally, stopped, sum, type Tally } from "../model/outcome.ts";
import { conclude } from "../orchestration/conclude.ts";
import { isPart } from "../orchestration/fan-out.ts";
import { reasonOf, retry, settleAll } from "../orchestration/tasks.ts";
import type { PrunePlan } from "../prune/prune-plan.ts";
import { parsePruneRequest, type PruneRequest } from "../prune/request.ts";
import type { PruneScope, Slice, SliceResult } from "../prune/step.ts";

/** The work, in order. Nothing is deleted before everything that is needed is known; records go last. */
const PHASES = [
  { phase: "gathering", work: ["gatherNeeds", "listContents"] },
  { phase: "deleting", work: ["deleteContents"] },
  { phase: "deleting", work: ["deletePieces"] },
  { phase: "forgetting", work: ["deleteLedgers"] },
] as const;

/** A lane of one kind of work: an orchestration that does its slices one after the other. */
interface Lane extends PruneScope {
  run: string;
  work: keyof PrunePlan["lanes"];
  lane: number;
  slice: number;
  /** The tally of the slices before. */
  tally: Tally;
}

/** Slices after which an orchestration continues as new, to keep its history short. */
const SLICES_A_HISTORY = 100;

/**
 * Forgets runs by a policy, and deletes what no remaining run needs. The output is the number of bytes deleted; in a dry run,
 * the number that would be. A prune that cannot continue fails; the next one finishes its work.
 */
df.app.orchestration("pruneBackups", function* (context) {
  // Only this orchestrator starts lanes; any other input is a request.
  if (isPart(context)) return yield* follow(context, context.df.getInput<Lane>()!);

  const parsed = parsePruneRequest(context.df.getInput());
  if (!parsed.ok) throw new Error(parsed.problem);
  const run = context.df.instanceId;
  const status = { runId: run, dryRun: parsed.value.dryRun };
  context.df.setCustomStatus({ phase: "deciding", ...status });
  const { runs, result } = yield* prune(context, run, parsed.value, status);
  const ending = { done: "deleted", status: { dryRun: parsed.value.dryRun, runs }, prune: parsed.value };
  return (yield* conclude(context, result, ending)).bytes;
});

function* prune(context: df.OrchestrationContext, run: string, request: PruneRequest, status: object) {
  const tallies: Tally[] = [];
  let plan: PrunePlan;
  try {
    plan = yield context.df.callActivityWithRetry("decidePrune", retry, { run, request });
  } catch (error) {
    return { runs: undefined, result: stopped(reasonOf(error)) };
  }
  if (plan.problem !== undefined) return { runs: plan.runs, result: stopped(plan.problem) };
  tallies.push(plan.found);
  const { container, prefix, dryRun } = request;
  const { layout, decision } = plan;
  const scope: PruneScope = { container, prefix, layout, dryRun, decision };
  for (const { phase, work } of PHASES) {
    context.df.setCustomStatus({ phase, ...status, runs: plan.runs });
    const lanes = work.flatMap((name) =>
      Array.from({ length: plan.lanes[name] }, (_none, lane) => {
        const input: Lane = { run, work: name, lane, slice: 0, tally: emptyTally(), ...scope };
        return context.df.callSubOrchestrator("pruneBackups", input, `${run}:${name}-${lane}`);
      }),
    );
    const results = yield* settleAll<Tally>(context, lanes);
    tallies.push(...results.map((it) => ("value" in it ? it.value : stopped(it.error))));
    // The next prune needs the runs' records to find what could not be deleted.
    const { counts, stopped: problem } = sum(tallies);
    if (problem !== undefined || counts.failed > 0) break;
  }
  return { runs: plan.runs, result: sum(tallies) };
}

function* follow(context: df.OrchestrationContext, { tally, slice: first, ...lane }: Lane) {
  let total = tally;
  let slice = first;
  for (let turn = 0; turn < SLICES_A_HISTORY; turn++) {
    const { work, ...piece } = lane;
    let result: SliceResult;
    try {
      const input: Slice = { ...piece, slice };
      result = yield context.df.callActivityWithRetry(work, retry, input);
    } catch (error) {
      return sum([total, stopped(reasonOf(error))]);
    }
    total = sum([total, result.tally]);
    if (result.done || result.tally.stopped !== undefined) return total;
    if (!result.again) slice++;
  }
  context.df.continueAsNew({ ...lane, slice, tally: total } satisfies Lane);
  return undefined;
}
