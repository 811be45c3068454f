import type { OrchestrationContext, Task } from "durable-functions";
import { reasonOf } from "./reason.ts";

export type Settled<T> = { value: T } | { error: string };

/**
 * Waits for all tasks, whether they succeed or fail; `Task.all` alone ends at the first failure and hides the others, and
 * throws if there are no tasks.
 */
export function* settleAll<T>(
  context: OrchestrationContext,
  tasks: Task[],
): Generator<Task, Settled<T>[], unknown> {
  if (tasks.length === 0) return [];
  try {
    const values = (yield context.df.Task.all(tasks)) as T[];
    return values.map((value) => ({ value }));
  } catch {
    const settled: Settled<T>[] = [];
    for (const task of tasks) {
      try {
        settled.push({ value: (yield task) as T });
      } catch (error) {
        settled.push({ error: reasonOf(error) });
      }
    }
    return settled;
  }
}
