/** Schedules in the settings: what is refused at start, and what becomes of the rest. */
import { describe, expect, it, vi } from "vitest";
import { startLocalHost } from "../harness/local-host.ts";
import { scheduledBackup, scheduledPrune } from "../../src/api/schedule-setting.ts";
import { readSettings } from "../../src/settings.ts";

const INPUT = '{"root":"/home/site/wwwroot"}';
const read = (env: NodeJS.ProcessEnv) => {
  const settings = readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true", ...env });
  return { backupSchedule: scheduledBackup(settings), pruneSchedule: scheduledPrune(settings) };
};

describe("BACKUP_SCHEDULE", () => {
  it("is none by default, and none when it is empty", () => {
    expect(read({}).backupSchedule).toBeUndefined();
    expect(read({ BACKUP_SCHEDULE: "", BACKUP_SCHEDULE_INPUT: INPUT }).backupSchedule).toBeUndefined();
  });

  it("starts an incremental backup, unless the input says otherwise", () => {
    const { backupSchedule } = read({ BACKUP_SCHEDULE: "0 0 2 * * *", BACKUP_SCHEDULE_INPUT: INPUT });
    expect(backupSchedule).toEqual({
      setting: "BACKUP_SCHEDULE",
      input: { root: "/home/site/wwwroot", mode: "incremental" },
    });
    const full = '{"root":"/x","mode":"full"}';
    expect(
      read({ BACKUP_SCHEDULE: "0 0 2 * * *", BACKUP_SCHEDULE_INPUT: full }).backupSchedule?.input,
    ).toMatchObject({ mode: "full" });
  });

  it.each([
    "0 0 2 * * *",
    "*/30 * * * * *",
    "0 0/15 8-18 * * MON-FRI",
    "0 0 2 1,15 JAN,JUL *",
    "0 0 0 29 2 *",
    "06:00:00",
    "1.00:00:00",
  ])("takes %s", (schedule) => {
    const { backupSchedule } = read({ BACKUP_SCHEDULE: schedule, BACKUP_SCHEDULE_INPUT: INPUT });
    expect(backupSchedule).toBeDefined();
  });

  it.each([
    ["0 2 * * *", "six fields"],
    ["every day", "six fields"],
    ["@daily", "six fields"],
    ["0 0 0 L * *", "six fields"],
    ["0 0 0 ? * *", "six fields"],
    ["0 0 25 * * *", "hour"],
    ["0 0 0 31 2 *", "due"],
    ["24:00:00", "six fields"],
    ["00:00:00", "above zero"],
  ])("refuses %s, saying what is expected", (schedule, words) => {
    const { backupSchedule } = read({ BACKUP_SCHEDULE: schedule, BACKUP_SCHEDULE_INPUT: INPUT });
    expect(backupSchedule?.problem).toMatch(/^BACKUP_SCHEDULE: /);
    expect(backupSchedule?.problem).toContain(words);
    expect(backupSchedule?.problem).toContain(`got "${schedule}"`);
  });

  it.each([{ WEBSITE_SKU: "FlexConsumption" }, { WEBSITE_SKU: "Dynamic" }, { WEBSITE_POD_NAME: "p" }])(
    "refuses a TimeSpan where the plan takes none: %j",
    (plan) => {
      const problemOf = (BACKUP_SCHEDULE: string) =>
        read({ BACKUP_SCHEDULE, BACKUP_SCHEDULE_INPUT: INPUT, ...plan }).backupSchedule?.problem;
      expect(problemOf("06:00:00")).toContain("TimeSpan");
      expect(problemOf("0 0 */6 * * *")).toBeUndefined();
    },
  );

  it.each([
    [undefined, /BACKUP_SCHEDULE_INPUT is not/],
    ["/home/site/wwwroot", /BACKUP_SCHEDULE_INPUT: .*JSON object/],
    ['"/home/site/wwwroot"', /BACKUP_SCHEDULE_INPUT: .*JSON object/],
    ['{"root":"relative"}', /BACKUP_SCHEDULE_INPUT: "root": .*absolute/],
    ['{"root":"/x","modus":"full"}', /BACKUP_SCHEDULE_INPUT: .*"modus"/],
  ])("refuses the input %j", (input, words) => {
    const env = {
      BACKUP_SCHEDULE: "0 0 2 * * *",
      ...(input === undefined ? {} : { BACKUP_SCHEDULE_INPUT: input }),
    };
    expect(read(env).backupSchedule?.problem).toMatch(words);
  });
});

describe("PRUNE_SCHEDULE", () => {
  it("has its own settings, and its own errors", () => {
    const { pruneSchedule, backupSchedule } = read({
      PRUNE_SCHEDULE: "0 0 4 * * 0",
      PRUNE_SCHEDULE_INPUT: '{"keepLast":7}',
    });
    expect([pruneSchedule, backupSchedule]).toEqual([
      { setting: "PRUNE_SCHEDULE", input: { keepLast: 7 } },
      undefined,
    ]);
    const { problem } = read({ PRUNE_SCHEDULE: "0 0 4 * * 0" }).pruneSchedule ?? {};
    expect(problem).toContain("PRUNE_SCHEDULE_INPUT is not");
  });
});

it.each([
  ["without its input", { BACKUP_SCHEDULE: "* * * * * *" }, "BACKUP_SCHEDULE_INPUT is not"],
  [
    "that the host cannot run",
    { BACKUP_SCHEDULE: "every day", BACKUP_SCHEDULE_INPUT: INPUT },
    "BACKUP_SCHEDULE: ",
  ],
])("a schedule %s fails alone: the app starts, says so, and serves the rest", async (_what, env, words) => {
  const host = await startLocalHost({ entry: "build", env });
  try {
    expect(host.logs()).toContain(words);
    const runs = () => recordedRuns(host.url);
    const fires = !("BACKUP_SCHEDULE_INPUT" in env);
    await vi.waitUntil(async () => (await runs()).length > 0 === fires, 20_000);
    for (const { id } of await runs()) {
      const record: unknown = await (await fetch(`${host.url}/backups/${id}`)).json();
      expect(record).toMatchObject({ status: "failed", message: expect.stringContaining(words) as string });
    }
  } finally {
    await host.stop();
  }
});

async function recordedRuns(url: string): Promise<{ id: string }[]> {
  const response = await fetch(`${url}/backups`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { runs: { id: string }[] }).runs;
}
