/** Runs the app's orchestrators in this process: their generators, with a context that calls what they call at once. */
import type { OrchestrationContext, RetryOptions } from "durable-functions";
import { asJson, orchestratorOf } from "./functions.ts";

/** Calls an activity. */
export type Call = (activity: string, input: unknown) => Promise<unknown>;

/** An orchestration: which, of what, under which id, and by which other one it was started. */
interface Instance {
  name: string;
  input: unknown;
  id: string;
  parent?: string;
}

/** What an orchestrator waits for. */
interface Task {
  done: Promise<unknown>;
}

/** Gives an orchestration's output, or throws what it failed of. */
export async function orchestrate({ name, input, id, parent }: Instance, call: Call): Promise<unknown> {
  const start = orchestratorOf(name) as unknown as (context: unknown) => Generator<Task, unknown, unknown>;
  for (let turn: { input: unknown } | undefined = { input }; ;) {
    const now: unknown = asJson(turn.input);
    turn = undefined;
    const df: Partial<Record<keyof OrchestrationContext["df"], unknown>> = {
      instanceId: id,
      parentInstanceId: parent,
      getInput: () => now,
      setCustomStatus: asJson,
      continueAsNew: (next: unknown) => (turn = { input: next }),
      callActivity: (activity: string, given: unknown) => task(callOnce(call, activity, given)),
      callActivityWithRetry: (activity: string, { maxNumberOfAttempts }: RetryOptions, given: unknown) =>
        task(callAgain(() => callOnce(call, activity, given), maxNumberOfAttempts)),
      callSubOrchestrator: (child: string, given: unknown, childId: string) =>
        task(callChild({ name: child, input: given, id: childId, parent: id }, call)),
      Task: { all },
    };
    const output = await follow(start({ df }));
    if (turn === undefined) return asJson(output);
  }
}

async function follow(work: Generator<Task, unknown, unknown>): Promise<unknown> {
  let step = work.next();
  while (!step.done) {
    const { done } = step.value;
    step = await done.then(
      (value) => work.next(value),
      (error: unknown) => work.throw(error),
    );
  }
  return step.value;
}

/** Nobody need wait for it. */
function task(done: Promise<unknown>): Task {
  done.catch(() => undefined);
  return { done };
}

function all(tasks: Task[]): Task {
  if (tasks.length === 0) throw new Error("The SDK's Task.all throws when it is given no tasks.");
  return task(Promise.all(tasks.map(({ done }) => done)));
}

async function callOnce(call: Call, activity: string, input: unknown): Promise<unknown> {
  return await call(activity, input).catch((error: Error) => {
    throw new Error(`Activity function '${activity}' failed:  ${error.message}`, { cause: error });
  });
}

/** Without the waits between attempts. */
async function callAgain(work: () => Promise<unknown>, attempts: number): Promise<unknown> {
  return await work().catch(async (error: unknown) => {
    if (attempts <= 1) throw error;
    return await callAgain(work, attempts - 1);
  });
}

async function callChild(child: Instance, call: Call): Promise<unknown> {
  return await orchestrate(child, call).catch((error: Error) => {
    throw new Error(`Orchestrator function '${child.name}' failed: ${error.message}`, { cause: error });
  });
}
