import { Cron } from "croner";
import { redact } from "../secret.ts";

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
export function scheduleProblem(text: string, serverless: boolean): string | undefined {
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
