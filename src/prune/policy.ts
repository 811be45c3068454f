/** How many runs of each kind to keep. An option that is not set keeps none. */
export interface Policy {
  keepLast?: Count | undefined;
  keepHourly?: Count | undefined;
  keepDaily?: Count | undefined;
  keepWeekly?: Count | undefined;
  keepMonthly?: Count | undefined;
  keepYearly?: Count | undefined;
  /** A span such as "1y2m3d4h", counted back from the newest run. */
  keepWithin?: string | undefined;
}
type Count = number | "unlimited";

/** Whether a policy keeps nothing at all. */
export function isEmpty(policy: Policy): boolean {
  return Object.values(policy).every((value) => value === undefined || value === 0);
}

/**
 * Why each run is kept, newest first. A run without reasons is forgotten. The options mean what they mean to restic: each
 * keeps the newest run of the last n hours, days, ISO weeks, months or years that have one; a run stays if any option keeps
 * it; an option with places left also keeps the oldest run. Times are in UTC.
 * @param now runs dated after it do not move the time that `keepWithin` counts from
 */
export function applyPolicy<Run extends { started: Date }>(
  runs: readonly Run[],
  policy: Policy,
  now: Date,
): { run: Run; reasons: string[] }[] {
  const newestFirst = runs.toSorted((a, b) => b.started.getTime() - a.started.getTime());
  const buckets = bucketsOf(policy);
  const latest = newestFirst.find(({ started }) => started < now)?.started ?? new Date(0);
  const within = policy.keepWithin;
  const since = within === undefined ? undefined : before(latest, parseWithin(within));
  return newestFirst.map((run, index) => {
    const reasons: string[] = [];
    if (since && run.started > since) reasons.push(`within ${within}`);
    for (const bucket of buckets) {
      if (bucket.left === 0) continue;
      const value = bucket.of(run.started, index);
      const isNew = value !== bucket.last;
      if (!isNew && index < newestFirst.length - 1) continue;
      bucket.last = value;
      bucket.left--;
      reasons.push(isNew ? bucket.reason : `oldest ${bucket.reason}`);
    }
    return { run, reasons };
  });
}

function bucketsOf(policy: Policy) {
  const bucket = (
    count: Count | undefined,
    reason: string,
    of: (time: Date, index: number) => string | number,
  ) => ({
    left: count === "unlimited" ? Infinity : (count ?? 0),
    reason,
    of,
    last: undefined as string | number | undefined,
  });
  const upTo = (length: number) => (time: Date) => time.toISOString().slice(0, length);
  return [
    bucket(policy.keepLast, "last snapshot", (_time, index) => index),
    bucket(policy.keepHourly, "hourly snapshot", upTo("2026-11-23T14".length)),
    bucket(policy.keepDaily, "daily snapshot", upTo("2026-11-23".length)),
    bucket(policy.keepWeekly, "weekly snapshot", isoWeek),
    bucket(policy.keepMonthly, "monthly snapshot", upTo("2026-11".length)),
    bucket(policy.keepYearly, "yearly snapshot", upTo("2026".length)),
  ];
}

const DAY = 86_400_000;

/** The number of ISO weeks, which begin on Monday, since 1970. */
function isoWeek(time: Date): number {
  // The epoch was a Thursday.
  return Math.floor((Math.floor(time.getTime() / DAY) + 3) / 7);
}

/** A span of calendar time: "1y2m3d4h" as restic writes it, months before hours. */
interface Within {
  years: number;
  months: number;
  days: number;
  hours: number;
}

/** One or more numbers, each with its unit. */
export const WITHIN = /^(?:\d{1,6}[ymdh])+$/;

const UNITS = { y: "years", m: "months", d: "days", h: "hours" } as const;

/** Reads a span that matches WITHIN. If a unit occurs twice, the last one counts. */
function parseWithin(text: string): Within {
  const within: Within = { years: 0, months: 0, days: 0, hours: 0 };
  for (const [, amount, unit] of text.matchAll(/(\d+)([ymdh])/g)) {
    within[UNITS[unit as keyof typeof UNITS]] = Number(amount);
  }
  return within;
}

/** The moment a span earlier, in UTC. A day that the month does not have runs over into the next month, as in restic. */
function before(moment: Date, { years, months, days, hours }: Within): Date {
  const at = new Date(moment);
  at.setUTCFullYear(at.getUTCFullYear() - years, at.getUTCMonth() - months, at.getUTCDate() - days);
  return new Date(at.getTime() - hours * 3_600_000);
}
