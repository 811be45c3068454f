/** Schedules in the settings: what is refused at start, and what becomes of the rest. */
import { describe, expect, it } from "vitest";
import { runLocalHost } from "../harness/local-host.ts";
import { readSettings } from "../../src/settings.ts";

const INPUT = '{"root":"/home/site/wwwroot"}';
const read = (env: NodeJS.ProcessEnv) =>
  readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true", ...env });

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
    ["0 0 0 31 2 *", "comes round"],
    ["24:00:00", "six fields"],
    ["00:00:00", "no time between"],
  ])("refuses %s, saying what is expected", (schedule, words) => {
    const settings = () => read({ BACKUP_SCHEDULE: schedule, BACKUP_SCHEDULE_INPUT: INPUT });
    expect(settings).toThrow(/^BACKUP_SCHEDULE: /);
    expect(settings).toThrow(words);
    expect(settings).toThrow(`got "${schedule}"`);
  });

  it.each([{ WEBSITE_SKU: "FlexConsumption" }, { WEBSITE_SKU: "Dynamic" }, { WEBSITE_POD_NAME: "p" }])(
    "refuses a TimeSpan where the plan takes none: %j",
    (plan) => {
      const at = (BACKUP_SCHEDULE: string) => () =>
        read({ BACKUP_SCHEDULE, BACKUP_SCHEDULE_INPUT: INPUT, ...plan });
      expect(at("06:00:00")).toThrow("take no TimeSpan");
      expect(at("0 0 */6 * * *")).not.toThrow();
    },
  );

  it.each([
    [undefined, "BACKUP_SCHEDULE_INPUT is not"],
    ["/home/site/wwwroot", "BACKUP_SCHEDULE_INPUT: expected a JSON object"],
    ['"/home/site/wwwroot"', "BACKUP_SCHEDULE_INPUT: expected a JSON object"],
    ['{"root":"relative"}', 'BACKUP_SCHEDULE_INPUT: "root": expected an absolute path'],
    ['{"root":"/x","modus":"full"}', 'BACKUP_SCHEDULE_INPUT: unknown field "modus"'],
  ])("refuses the input %j", (input, words) => {
    const env = {
      BACKUP_SCHEDULE: "0 0 2 * * *",
      ...(input === undefined ? {} : { BACKUP_SCHEDULE_INPUT: input }),
    };
    expect(() => read(env)).toThrow(words);
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
    expect(() => read({ PRUNE_SCHEDULE: "0 0 4 * * 0" })).toThrow("PRUNE_SCHEDULE_INPUT is not");
  });
});

it("a schedule that cannot be read keeps the app from starting, and says so", async () => {
  const { code, output } = await runLocalHost({
    entry: "build",
    env: { BACKUP_SCHEDULE: "0 2 * * *", BACKUP_SCHEDULE_INPUT: INPUT },
  });
  expect(code).toBe(1);
  expect(output).toContain("BACKUP_SCHEDULE: expected NCRONTAB with six fields");
});
