import { scheduleProblem } from "./expression.ts";

/** What is started by a schedule: a request body, at the times that a setting names. */
export interface Scheduled {
  /** The application setting that holds the schedule. */
  setting: string;
  /** The object body of the orchestrator's request. */
  input: Record<string, unknown>;
}

/**
 * Reads a schedule and its input from the environment; undefined where no schedule is set.
 * @param defaults fields of the body that are other than a request's own defaults
 * @param problemOf why the body is no request, for people
 * @throws Error that names the setting and says what was expected
 */
export function readScheduled(
  setting: string,
  { schedule, input, serverless }: { schedule?: string; input?: string; serverless: boolean },
  defaults: Record<string, unknown>,
  problemOf: (body: unknown) => string | undefined,
): Scheduled | undefined {
  if (schedule === undefined) return undefined;
  const wrong = scheduleProblem(schedule, serverless);
  if (wrong !== undefined) throw new Error(`${setting}: ${wrong}.`);
  const name = `${setting}_INPUT`;
  if (input === undefined) {
    throw new Error(
      `${setting} is set, but ${name} is not: it says what to do, as the JSON of a request's body.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (error) {
    throw new Error(`${name}: expected a JSON object; ${(error as Error).message}.`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${name}: expected a JSON object, the body of a request.`);
  }
  const body = { ...defaults, ...value };
  const problem = problemOf(body);
  if (problem !== undefined) throw new Error(`${name}: ${problem}`);
  return { setting, input: body };
}
