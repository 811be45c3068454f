/** A timer trigger's schedule: NCRONTAB with five or six fields, or a time span, as the real host reads them. */
import { Cron } from "croner";
import { parseTimeSpan } from "../settings/time-span.ts";

export interface Schedule {
  /** The first occurrence after this moment. */
  next(after: Date): Date;
}

/** Reads a schedule; `%NAME%` stands for an application setting. Throws Error when it cannot be read. */
export function parseSchedule(text: string, environment: NodeJS.ProcessEnv): Schedule {
  const setting = /^%(.+)%$/.exec(text)?.[1];
  const expression = setting === undefined ? text : environment[setting];
  if (expression === undefined) throw new Error(`the application setting '${setting}' is not set`);
  const span = /^[\d.:]+$/.test(expression) ? parseTimeSpan(expression) : undefined;
  if (span !== undefined && span > 0) return { next: (after) => new Date(after.getTime() + span) };
  // In NCRONTAB a day must fit both the day of the month and the day of the week. Times are in UTC.
  const cron = new Cron(expression, { timezone: "UTC", domAndDow: true, paused: true });
  return {
    next: (after) => {
      const next = cron.nextRun(after);
      if (!next)
        throw new Error(`the schedule '${expression}' has no occurrence after ${after.toISOString()}`);
      return next;
    },
  };
}
