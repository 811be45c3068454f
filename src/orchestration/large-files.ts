import type { OrchestrationContext, Task } from "durable-functions";
import { LANES } from "../ledger/cut.ts";
import type { LargeRef } from "../ledger/part-record.ts";
import type { Position, Step } from "../ledger/settle-steps.ts";
import { emptyTally, sum, type Tally } from "../model/outcome.ts";
import { isPart } from "./fan-out.ts";
import { reasonOf, retry } from "./tasks.ts";

/** Spans after which the orchestration continues as new, to keep its history short. */
const SPANS_A_HISTORY = 32;

/** The input: a lane of large files, and how far the history before this one got. */
interface Lane extends LargeRef {
  progress?: Position;
  /** The tally of the files before. */
  tally?: Tally;
}

/**
 * Works through a lane's large files one after the other, each in a chain of activities: a hash must be computed in order,
 * and a huge file takes longer than an activity may. If every try of an activity fails, only its file fails.
 * @param span the activity that does as much of a file as its time allows
 * @param fail the activity that records that a file failed
 */
export function* largeFiles(
  context: OrchestrationContext,
  { span, fail }: { span: string; fail: string },
): Generator<Task, Tally | undefined, unknown> {
  assertHandedOut(context);
  const { progress: before, tally: sofar = emptyTally(), ...first } = context.df.getInput<Lane>()!;
  let [ref, progress, tally] = [first, before, sofar];
  for (let spans = 0; spans < SPANS_A_HISTORY; spans++) {
    let step: Step<Position>;
    try {
      const task = context.df.callActivityWithRetry(span, retry, { ...ref, progress });
      step = (yield task) as Step<Position>;
    } catch (error) {
      const lost = { ...ref, reason: reasonOf(error) };
      step = { settled: (yield context.df.callActivityWithRetry(fail, retry, lost)) as Tally };
    }
    if (step === "none") return tally;
    if ("progress" in step) {
      const { throttled = 0 } = step;
      ({ progress } = step);
      if (throttled > 0) tally = { ...tally, throttled: (tally.throttled ?? 0) + throttled };
      continue;
    }
    tally = sum([tally, step.settled]);
    if (tally.stopped !== undefined) return tally;
    ref = { ...ref, large: ref.large + LANES };
    progress = undefined;
  }
  context.df.continueAsNew({ ...ref, progress, tally } satisfies Lane);
  return undefined;
}

/**
 * Refuses an orchestration that the app did not start itself. Its input says what may be read and written, and anyone who
 * has the key of the Durable API can start any orchestrator with any input.
 */
function assertHandedOut(context: OrchestrationContext): void {
  if (!isPart(context))
    throw new Error("This orchestrator does a part of a run and cannot be started by itself.");
}
