import { Cron } from "croner";
import { parseBackupRequest } from "../backup/request.ts";
import type { Parsed } from "../model/request-fields.ts";
import { parsePruneRequest } from "../prune/request.ts";
import { redact } from "../secret.ts";
import type { ScheduleSetting, Settings } from "../settings.ts";

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

/** What NCRONTAB accepts in a field: numbers, names of months and days, lists, ranges and steps. No L, W, # or ?. */
const FIELD = /^[\d*,/-]+$|^(?:[a-z]{3}|\d+)(?:[,-](?:[a-z]{3}|\d+))*$/i;

/** A .NET TimeSpan. Days are separated by a dot: .NET reads 24:00:00 as 24 days. */
const TIME_SPAN = /^(?:\d+\.)?(?:[01]?\d|2[0-3]):[0-5]?\d(?::[0-5]?\d)?$/;

/** Every valid schedule comes due within a year of this date, and that of 29 February within eight. */
const SOME_DAY = new Date("2026-01-01T00:00:00Z");

/**
 * Why the Functions host could not run a timer with this schedule; undefined if it can.
 * @param serverless the plan is Consumption or Flex Consumption, which do not support TimeSpan schedules
 */
function scheduleProblem(text: string, serverless: boolean): string | undefined {
  const got = `got "${redact(text).slice(0, 100)}"`;
  if (TIME_SPAN.test(text)) {
    if (/^[0.:]+$/.test(text)) return `expected a time above zero between two runs, ${got}`;
    return serverless
      ? `the Consumption and Flex Consumption plans support only NCRONTAB, e.g. "0 0 2 * * *", not a TimeSpan; ${got}`
      : undefined;
  }
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6 || !fields.every((field) => FIELD.test(field))) {
    return `expected NCRONTAB with six fields (second minute hour day month weekday), e.g. "0 0 2 * * *" for 02:00 every day, ${got}`;
  }
  try {
    // Both day of month and day of week must match, as in NCRONTAB.
    const cron = new Cron(text, { timezone: "UTC", domAndDow: true, sloppyRanges: true, paused: true });
    return cron.nextRun(SOME_DAY) ? undefined : `expected a schedule that ever comes due, ${got}`;
  } catch (error) {
    return `${error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error)}; ${got}`;
  }
}
