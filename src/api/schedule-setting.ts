import { scheduleProblem } from "./schedule-expression.ts";

/** What is started by a schedule: a request body, at the times that a setting names. */
export interface Scheduled {
  /** The application setting that holds the schedule. */
  setting: string;
  /** The object body of the orchestrator's request. */
  input: Record<string, unknown>;
  /** Why it cannot be started, for people: its function fails each time with this. */
  problem?: string;
}

/**
 * Reads a schedule and its input from the environment; undefined where no schedule is set. What is wrong with them is not
 * thrown: it must not keep the app's other functions from loading.
 * @param defaults fields of the body that are other than a request's own defaults
 * @param problemOf why the body is no request, for people
 */
export function readScheduled(
  setting: string,
  { schedule, input, serverless }: { schedule?: string; input?: string; serverless: boolean },
  defaults: Record<string, unknown>,
  problemOf: (body: unknown) => string | undefined,
): Scheduled | undefined {
  if (schedule === undefined) return undefined;
  const wrong = scheduleProblem(schedule, serverless);
  if (wrong !== undefined) return { setting, input: {}, problem: `${setting}: ${wrong}.` };
  const name = `${setting}_INPUT`;
  if (input === undefined) {
    const problem = `${setting} is set, but ${name} is not. Set it to what to do, the JSON object of a request's body.`;
    return { setting, input: {}, problem };
  }
  const value = parseObject(input);
  if (value === undefined) {
    return { setting, input: {}, problem: `${name}: expected a JSON object, the body of a request.` };
  }
  const body = { ...defaults, ...value };
  const problem = problemOf(body);
  return { setting, input: body, ...(problem === undefined ? {} : { problem: `${name}: ${problem}` }) };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
