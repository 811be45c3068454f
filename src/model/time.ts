/**
 * A time in microseconds since 1970 as RFC 3339 with six digits, as rclone reads `mtime`:
 * 2026-11-23T14:29:11.725398Z. A year that RFC 3339 cannot express is written as in JavaScript's dates: +012026-….
 */
export function formatMtime(microseconds: number): string {
  // Exact; dividing a number this large is not.
  const exact = BigInt(microseconds);
  const rest = ((exact % 1000n) + 1000n) % 1000n;
  const milliseconds = Number((exact - rest) / 1000n);
  return new Date(milliseconds).toISOString().replace("Z", `${String(rest).padStart(3, "0")}Z`);
}

/** Reads what `formatMtime` wrote. */
export function parseMtime(text = ""): number | undefined {
  const [, toMilliseconds, rest] = /^(.*\.\d{3})(\d{3})Z$/.exec(text) ?? [];
  const milliseconds = Date.parse(`${toMilliseconds}Z`);
  return Number.isNaN(milliseconds) ? undefined : Number(BigInt(milliseconds) * 1000n + BigInt(rest ?? 0));
}
