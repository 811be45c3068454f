import { parseBackupRequest } from "../backup/request.ts";
import type { Parsed } from "../model/request-fields.ts";
import { parsePruneRequest } from "../prune/request.ts";
import type { ScheduleSetting, Settings } from "../settings.ts";
import { scheduleProblem } from "./schedule-expression.ts";

/** What a schedule starts: a request body, at the times a setting names. */
export interface Scheduled {
  /** The application setting that holds the schedule. */
  setting: string;
  /** The JSON object that is the request's body. */
  input: Record<string, unknown>;
  /** Why it cannot be started. The function then fails with this each time. */
  problem?: string;
}

type Schedules = Pick<Settings, "backupSchedule" | "pruneSchedule" | "serverless">;

/** The backup that a timer starts; undefined if no schedule is set. Does not throw for a bad setting. */
export function scheduledBackup({ backupSchedule, serverless }: Schedules): Scheduled | undefined {
  const defaults = { mode: "incremental" };
  return readScheduled("BACKUP_SCHEDULE", backupSchedule, serverless, parseBackupRequest, defaults);
}

/** The prune that a timer starts, likewise. */
export function scheduledPrune({ pruneSchedule, serverless }: Schedules): Scheduled | undefined {
  return readScheduled("PRUNE_SCHEDULE", pruneSchedule, serverless, parsePruneRequest, {});
}

/**
 * Does not throw for a bad setting, which must not keep the app's other functions from loading.
 * @param defaults fields of the body that differ from the request's own defaults
 */
function readScheduled(
  setting: string,
  { schedule, input }: ScheduleSetting,
  serverless: boolean,
  parse: (body: unknown) => Parsed<unknown>,
  defaults: Record<string, unknown>,
): Scheduled | undefined {
  if (schedule === undefined) return undefined;
  const none = (problem: string): Scheduled => ({ setting, input: {}, problem });
  const wrong = scheduleProblem(schedule, serverless);
  if (wrong !== undefined) return none(`${setting}: ${wrong}.`);
  const name = `${setting}_INPUT`;
  if (input === undefined)
    return none(`${setting} is set, but ${name} is not. Set it to the request's body, a JSON object.`);
  const value = parseObject(input);
  if (value === undefined) return none(`${name}: expected a JSON object, the body of a request.`);
  const body = { ...defaults, ...value };
  const parsed = parse(body);
  return { setting, input: body, ...(parsed.ok ? {} : { problem: `${name}: ${parsed.problem}` }) };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
