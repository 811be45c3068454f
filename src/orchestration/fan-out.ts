import type { OrchestrationContext, Task } from "durable-functions";
import type { Part } from "../ledger/part-kind.ts";
import { WHOLE, type BatchRef, type LargeRef, type PartInput, type PartRef } from "../ledger/part-record.ts";
import { stopped, type Tally } from "../model/outcome.ts";
import type { Parsed } from "../model/request-fields.ts";
import { reasonOf, settleAll, withLostRecorded } from "./tasks.ts";

/** Whether an orchestration is a part of a run: only the app starts parts; one started by a request has no parent. */
export function isPart({ df }: OrchestrationContext): boolean {
  return Boolean(df.parentInstanceId);
}

/** The part that an orchestration was given, or the whole run that its request asks for. @throws Error for an invalid request */
export function readWork<Input extends PartRef & { request: unknown }>(
  context: OrchestrationContext,
  parse: (input: unknown) => Parsed<Input["request"]>,
): Input {
  const input: unknown = context.df.getInput();
  if (isPart(context)) return input as Input;
  const parsed = parse(input);
  if (!parsed.ok) throw new Error(parsed.problem);
  return { run: context.df.instanceId, part: WHOLE, request: parsed.value } as Input;
}

/** Runs `work`. An error becomes a tally that says why the run stopped. */
export function* orStopped<T extends Tally>(
  work: Generator<Task, T, unknown>,
): Generator<Task, Tally | T, unknown> {
  try {
    return yield* work;
  } catch (error) {
    return stopped(reasonOf(error));
  }
}

/**
 * The inputs of a part's activities and sub-orchestrations: some lines of a list, and where they may read and write. All of
 * it comes from the request and the part's result, through the history.
 * @param scope what each activity is given beside its lines
 */
export function handOut<Request, Own, Scope>(
  { run, part, request }: PartInput<Request, Own>,
  { own, batches, large, rest }: Pick<Part<Own>, "own" | "batches" | "large" | "rest">,
  scope: Scope,
) {
  return {
    batches: batches.map((lines, batch): BatchRef & Scope => ({ run, part, batch, lines, ...scope })),
    lanes: large.map((lines, lane): LargeRef & Scope => ({ run, part, large: lane, lines, ...scope })),
    parts: rest.map((lines, index): PartInput<Request, Own> => ({
      run,
      part: `${part}.${index}`,
      request,
      left: { own, lines },
    })),
  };
}

/** The instance id of a part, or of a lane of large files. It is the same in every replay. */
export function childId({ run, part, large }: PartRef & { large?: number }): string {
  return large === undefined ? `${run}:${part}` : `${run}:${part}:large-${large}`;
}

/**
 * Waits for all tasks and returns their tallies. The files of a batch whose every try failed are recorded as failed.
 * @param batches what the first tasks do, in the same order
 */
export function* tallies(
  context: OrchestrationContext,
  batches: readonly BatchRef[],
  tasks: Task[],
): Generator<Task, Tally[], unknown> {
  const results = yield* settleAll<Tally>(context, tasks);
  return (yield* withLostRecorded(context, batches, results)).map((it) =>
    "value" in it ? it.value : stopped(it.error),
  );
}
