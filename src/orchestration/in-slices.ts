import type { OrchestrationContext, Task } from "durable-functions";
import { stopped, sum, type Tally } from "../model/outcome.ts";
import { retry } from "./retry.ts";
import { reasonOf } from "./settle.ts";

/** Calls an activity for one slice after another, until nothing is left. */
export function* inSlices(
  context: OrchestrationContext,
  activity: string,
  ref: object,
): Generator<Task, Tally, unknown> {
  const done: Tally[] = [];
  try {
    for (let slice = 0; ; slice++) {
      const task = context.df.callActivityWithRetry(activity, retry, { ...ref, slice });
      const { tally, reached } = (yield task) as { tally: Tally; reached?: unknown };
      done.push(tally);
      if (reached === undefined) return sum(done);
    }
  } catch (error) {
    return sum([...done, stopped(reasonOf(error))]);
  }
}
