import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { startLocalHost } from "../harness/local-host.ts";
import { parseSchedule } from "../../local/timer/schedule.ts";

interface Run {
  name: string;
  isPastDue: boolean;
  schedule: { adjustForDST: boolean };
  scheduleStatus: { last: string; next: string; lastUpdated: string };
}

it("runs timers, and once for what was missed while the host was down", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "timers-"));
  const file = path.join(folder, "runs");
  const runs = (name: string): Run[] =>
    // The last line may be half written.
    (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [])
      .map((line) => JSON.parse(line) as Run)
      .filter((run) => run.name === name);
  const app = fileURLToPath(new URL("fixtures/timer-app", import.meta.url));
  const env = { TIMER_FILE: file, SCHEDULE: "0 0 0 1 1 *" };
  const first = await startLocalHost({
    app,
    connectionString: "none",
    state: path.join(folder, "state"),
    env,
  });
  while (runs("everySecond").length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  await first.stop();
  expect(runs("onStart")).toHaveLength(1);
  expect(runs("fromSetting")).toHaveLength(0);
  expect(runs("everySecond").map(({ isPastDue }) => isPastDue)).not.toContain(true);
  expect(runs("everySecond")[1]?.schedule).toEqual({ adjustForDST: true });
  const before = runs("everySecond").length;

  // Three occurrences go by.
  await new Promise((resolve) => setTimeout(resolve, 3_100));
  const second = await first.restart();
  while (runs("everySecond").length < before + 2) await new Promise((resolve) => setTimeout(resolve, 50));
  await second.stop();
  const [caughtUp, next] = runs("everySecond").slice(before);
  expect([caughtUp?.isPastDue, next?.isPastDue]).toEqual([true, false]);
  expect(Date.parse(next?.scheduleStatus.last ?? "")).toBeGreaterThan(
    Date.parse(caughtUp?.scheduleStatus.last ?? ""),
  );
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ["0 30 9 * * 1-5", "2026-11-20T09:30:00.000Z", "2026-11-23T09:30:00.000Z"],
  ["*/15 * * * *", "2026-11-23T09:50:00.000Z", "2026-11-23T10:00:00.000Z"],
  // NCRONTAB: both the day of the month and the day of the week must fit. (cron: either.)
  ["0 0 0 1 * MON", "2026-11-23T00:00:00.000Z", "2027-02-01T00:00:00.000Z"],
  ["00:10:00", "2026-11-23T09:50:00.000Z", "2026-11-23T10:00:00.000Z"],
  ["0 0/20 8-10 * * *", "2026-11-23T08:20:00.000Z", "2026-11-23T08:40:00.000Z"],
])("after %s comes, from %s on, %s", (text, after, next) => {
  expect(parseSchedule(text, {}).next(new Date(after)).toISOString()).toBe(next);
});
