/** A timer trigger's schedule: NCRONTAB with five or six fields, or a time span, as on the real host. */
import { Cron } from "croner";
import { parseTimeSpan } from "../settings/time-span.ts";

export interface Schedule {
  /** The first occurrence after this moment. */
  next(after: Date): Date;
  /** Whether it follows the wall clock, and so summer time. */
  adjustForDST: boolean;
}

/**
 * Reads a schedule; `%NAME%` stands for an application setting. Times of day are UTC, or of the IANA time zone that
 * WEBSITE_TIME_ZONE names. What falls into the hour that summer time leaves out runs right after it, once; a time of day
 * in the hour that comes twice runs the first time only, an interval continues through both. Throws Error when it cannot
 * be read.
 */
export function parseSchedule(text: string, environment: NodeJS.ProcessEnv): Schedule {
  const setting = /^%(.+)%$/.exec(text)?.[1];
  const expression = setting === undefined ? text : environment[setting];
  if (expression === undefined) throw new Error(`the application setting '${setting}' is not set`);
  const span = /^[\d.:]+$/.test(expression) ? timeSpan(expression) : undefined;
  if (span !== undefined) {
    return { next: (after) => new Date(after.getTime() + span), adjustForDST: false };
  }
  const timezone = timeZone(environment["WEBSITE_TIME_ZONE"]);
  // In NCRONTAB a day must fit both the day of the month and the day of the week.
  const cron = new Cron(expression, { timezone, domAndDow: true, sloppyRanges: true, paused: true });
  return {
    adjustForDST: true,
    next: (after) => {
      const next = cron.nextRun(after);
      if (!next)
        throw new Error(`the schedule '${expression}' has no occurrence after ${after.toISOString()}`);
      return next;
    },
  };
}

function timeSpan(text: string): number | undefined {
  const span = parseTimeSpan(text);
  if (span === undefined) return undefined;
  if (span === 0) throw new Error(`the schedule '${text}' has no time between two runs`);
  if (/^(2[4-9]|[3-9]\d):/.test(text)) {
    throw new Error(`the real host reads the schedule '${text}' as days; write days as '1.00:00:00'`);
  }
  return span;
}

function timeZone(name: string | undefined): string {
  if (name === undefined || name === "") return "UTC";
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch {
    throw new Error(
      `WEBSITE_TIME_ZONE is '${name}', which is not an IANA time zone; the local host takes names such as 'Europe/Berlin', ` +
        "not those of Windows",
    );
  }
  return name;
}
