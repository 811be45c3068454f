/** A span of calendar time: "1y2m3d4h" as restic writes it, months before hours. */
export interface Within {
  years: number;
  months: number;
  days: number;
  hours: number;
}

/** One or more numbers, each with its unit. */
export const WITHIN = /^(?:\d{1,6}[ymdh])+$/;

const UNITS = { y: "years", m: "months", d: "days", h: "hours" } as const;

/** Reads a span that matches WITHIN. If a unit occurs twice, the last one counts. */
export function parseWithin(text: string): Within {
  const within: Within = { years: 0, months: 0, days: 0, hours: 0 };
  for (const [, amount, unit] of text.matchAll(/(\d+)([ymdh])/g)) {
    within[UNITS[unit as keyof typeof UNITS]] = Number(amount);
  }
  return within;
}

/** The moment a span earlier, in UTC. A day that the month does not have runs over into the next month, as in restic. */
export function before(moment: Date, { years, months, days, hours }: Within): Date {
  const at = new Date(moment);
  at.setUTCFullYear(at.getUTCFullYear() - years, at.getUTCMonth() - months, at.getUTCDate() - days);
  return new Date(at.getTime() - hours * 3_600_000);
}
