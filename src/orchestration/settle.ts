import type { OrchestrationContext, Task } from "durable-functions";

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

/** The message of a failed activity without the host's wrapping ("Activity function 'x' failed:  …" and a dump in JSON). */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const inner =
    /^(?:Activity|Orchestrator) function '[^']*' failed:\s*([\s\S]*)$/.exec(message)?.[1] ?? message;
  return (inner.split(" \n {", 1)[0] ?? inner).trim().slice(0, 1000);
}
