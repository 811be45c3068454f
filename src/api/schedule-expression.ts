import { Cron } from "croner";
import { redact } from "../secret.ts";

/** What NCRONTAB takes in a field: numbers, names of months and days, lists, ranges and steps. No L, W, # or ?. */
const FIELD = /^[\d*,/-]+$|^(?:[a-z]{3}|\d+)(?:[,-](?:[a-z]{3}|\d+))*$/i;

/** A .NET TimeSpan; days have a dot, for .NET takes 24:00:00 for 24 days. */
const TIME_SPAN = /^(?:\d+\.)?(?:[01]?\d|2[0-3]):[0-5]?\d(?::[0-5]?\d)?$/;

/** A date that every valid schedule but that of 29 February comes after within a year, and that within eight. */
const SOME_DAY = new Date("2026-01-01T00:00:00Z");

/**
 * Why the Functions host could not run a timer by this schedule, for people; undefined when it can.
 * @param serverless the plan is Consumption or Flex Consumption, where a schedule cannot be a TimeSpan
 */
export function scheduleProblem(text: string, serverless: boolean): string | undefined {
  const got = `got "${redact(text).slice(0, 100)}"`;
  if (TIME_SPAN.test(text)) {
    if (/^[0.:]+$/.test(text)) return `expected more than no time between two runs, ${got}`;
    return serverless
      ? `the Consumption and Flex Consumption plans take no TimeSpan, only NCRONTAB, e.g. "0 0 2 * * *"; ${got}`
      : undefined;
  }
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6 || !fields.every((field) => FIELD.test(field))) {
    return `expected NCRONTAB with six fields (second minute hour day month weekday), e.g. "0 0 2 * * *" for 02:00 every day, ${got}`;
  }
  try {
    // Both the day of the month and the day of the week must fit, as in NCRONTAB.
    const cron = new Cron(text, { timezone: "UTC", domAndDow: true, sloppyRanges: true, paused: true });
    return cron.nextRun(SOME_DAY) ? undefined : `expected a schedule that comes round, ${got}`;
  } catch (error) {
    return `${error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error)}; ${got}`;
  }
}
