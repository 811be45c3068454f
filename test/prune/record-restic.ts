/**
 * Records what restic itself keeps: a repository with snapshots of given times, and `forget --dry-run` by many policies.
 * Writes restic.json beside this file; `policy.test.ts` holds the app's policy against it. Needs restic on the PATH:
 *
 *   node test/prune/record-restic.ts
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Uneven on purpose: several in an hour, an hour's end, a leap day, ISO weeks that cross a year, gaps. */
const TIMES = [
  "2023-12-31 23:59:59",
  "2024-01-01 00:00:00",
  "2024-02-29 12:00:00",
  "2024-03-01 12:00:00",
  "2024-12-29 10:00:00",
  "2024-12-30 10:00:00",
  "2024-12-31 23:30:00",
  "2025-01-01 00:30:00",
  "2025-01-05 08:00:00",
  "2025-01-06 08:00:00",
  "2025-06-15 06:00:00",
  "2025-06-15 06:59:59",
  "2025-06-15 07:00:00",
  "2025-08-31 09:00:00",
  "2025-09-30 09:00:00",
  "2025-10-01 09:00:00",
  "2025-10-30 22:00:00",
  "2025-10-31 01:00:00",
  "2025-10-31 13:05:00",
  "2025-10-31 13:55:00",
  "2025-10-31 14:00:00",
];

const POLICIES: Record<string, string | number>[] = [
  { keepLast: 1 },
  { keepLast: 5 },
  { keepLast: 100 },
  { keepHourly: 1 },
  { keepHourly: 3 },
  { keepHourly: 12 },
  { keepDaily: 2 },
  { keepDaily: 7 },
  { keepDaily: 100 },
  { keepWeekly: 1 },
  { keepWeekly: 4 },
  { keepWeekly: 9 },
  { keepWeekly: 50 },
  { keepMonthly: 3 },
  { keepMonthly: 12 },
  { keepYearly: 1 },
  { keepYearly: 2 },
  { keepYearly: 10 },
  { keepWithin: "1h" },
  { keepWithin: "1d" },
  { keepWithin: "1m" },
  { keepWithin: "2m1d" },
  { keepWithin: "1y2m3d4h" },
  { keepLast: 2, keepDaily: 3, keepMonthly: 2 },
  { keepHourly: 2, keepWeekly: 3, keepYearly: 3 },
  { keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 75 },
  { keepWithin: "12h", keepMonthly: 4 },
];

const folder = mkdtempSync(path.join(tmpdir(), "restic-"));
const env = { ...process.env, TZ: "UTC", RESTIC_REPOSITORY: path.join(folder, "repo"), RESTIC_PASSWORD: "x" };
const restic = (...args: string[]) =>
  execFileSync("restic", ["--no-cache", ...args], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });

interface Group {
  keep: { time: string }[];
  reasons: { snapshot: { time: string }; matches: string[] }[];
}

try {
  const version = execFileSync("restic", ["version"], { encoding: "utf8" }).trim();
  const file = path.join(folder, "file");
  writeFileSync(file, "content");
  restic("init", "--quiet");
  for (const time of TIMES) restic("backup", "--quiet", "--time", time, file);
  const recorded = POLICIES.map((policy) => {
    const flags = Object.entries(policy).flatMap(([name, value]) => [
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      String(value),
    ]);
    const [group] = JSON.parse(restic("forget", "--dry-run", "--json", ...flags)) as Group[];
    const kept = Object.fromEntries(
      (group?.reasons ?? []).map(({ snapshot, matches }) => [new Date(snapshot.time).toISOString(), matches]),
    );
    return { policy, kept };
  });
  const times = TIMES.map((time) => new Date(`${time.replace(" ", "T")}Z`).toISOString());
  writeFileSync(
    path.join(import.meta.dirname, "restic.json"),
    `${JSON.stringify({ version, times, recorded }, undefined, 2)}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
