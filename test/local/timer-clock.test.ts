/** Timers by the clock on the wall: summer time, a clock that is set, a machine that sleeps, a schedule that changes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openDatabase } from "../../local/durable/database.ts";
import { Store } from "../../local/durable/store.ts";
import { Logger } from "../../local/log/logger.ts";
import { parseSchedule } from "../../local/timer/schedule.ts";
import { TimerTriggers } from "../../local/timer/timer-triggers.ts";
import type { InvocationRequest, InvocationResult } from "../../local/worker/messages.ts";

const HOUR = 3_600_000;

let folder: string;
let store: Store;
/** When the function ran, by the clock of its time. */
let runs: string[];
let stops: (() => Promise<void>)[];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "clock-"));
  store = new Store(openDatabase(path.join(folder, "hub.sqlite")));
  runs = [];
  stops = [];
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
});
afterEach(async () => {
  for (const stop of stops) await stop();
  vi.useRealTimers();
  vi.unstubAllEnvs();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a host's timers with one function; `during` is what happens while it runs. */
function start(schedule: string, during: () => unknown = () => undefined): { stop: () => Promise<void> } {
  const binding = { type: "timerTrigger", direction: "in", schedule, name: "t" };
  const timers = new TimerTriggers({
    functions: [
      { name: "tick", functionId: "tick", bindings: { t: binding }, rawBindings: [], scriptFile: "app.js" },
    ],
    store,
    worker: {
      async invoke(request: InvocationRequest): Promise<InvocationResult> {
        const { IsPastDue } = JSON.parse(request.inputData[0]?.data.json ?? "{}") as { IsPastDue: boolean };
        runs.push(`${new Date().toISOString().slice(0, 16)}Z${IsPastDue ? " late" : ""}`);
        await during();
        return { status: "success", response: { invocationId: request.invocationId, outputData: [] } };
      },
    },
    log: new Logger({ verbose: false, sink: () => undefined }),
    durableClient: "",
  });
  timers.start();
  stops.push(() => timers.stop());
  return { stop: () => timers.stop() };
}

const zone = (name: string) => vi.stubEnv("WEBSITE_TIME_ZONE", name);
const at = (time: string) => vi.setSystemTime(new Date(time));
const pass = (hours: number) => vi.advanceTimersByTimeAsync(hours * HOUR);

describe("summer time", () => {
  // In Berlin 02:00 to 03:00 was left out on 29 March 2026 (at 01:00Z), and comes twice on 25 October (from 00:00Z).
  it.each([
    [
      "a time of day that is left out runs right after it",
      "0 30 2 * * *",
      "2026-03-28T12:00:00Z",
      48,
      ["2026-03-29T01:00Z", "2026-03-30T00:30Z"],
    ],
    [
      "a time of day that comes twice runs once",
      "0 30 2 * * *",
      "2026-10-24T12:00:00Z",
      48,
      ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
    ],
    [
      "two times of day that fall together run once",
      "0 0 2,3 * * *",
      "2026-03-28T12:00:00Z",
      36,
      ["2026-03-29T01:00Z", "2026-03-30T00:00Z"],
    ],
    [
      "every hour is every hour in spring",
      "0 30 * * * *",
      "2026-03-29T00:00:00Z",
      3,
      ["2026-03-29T00:30Z", "2026-03-29T01:30Z", "2026-03-29T02:30Z"],
    ],
    [
      "every hour is every hour in autumn",
      "0 30 * * * *",
      "2026-10-25T00:00:00Z",
      3,
      ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"],
    ],
    [
      "a time span knows no summer time",
      "06:00:00",
      "2026-10-24T22:00:00Z",
      13,
      ["2026-10-25T04:00Z", "2026-10-25T10:00Z"],
    ],
  ] as const)("%s", async (_what, schedule, from, hours, expected) => {
    zone("Europe/Berlin");
    at(from);
    start(schedule);
    await pass(hours);
    expect(runs).toEqual(expected);
  });

  it.each(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])(
    "no hour around a change is lost or doubled in %s",
    (name) => {
      const schedule = parseSchedule("0 0 * * * *", { WEBSITE_TIME_ZONE: name });
      for (const from of [
        "2026-03-07T00:00:00Z",
        "2026-03-28T00:00:00Z",
        "2026-10-03T00:00:00Z",
        "2026-10-24T00:00:00Z",
        "2026-10-31T00:00:00Z",
      ]) {
        let time = new Date(from);
        for (let hour = 0; hour < 60; hour++) {
          const after = schedule.next(time);
          // Lord Howe Island shifts by half an hour.
          expect([0.5, 1, 1.5]).toContain((after.getTime() - time.getTime()) / HOUR);
          time = after;
        }
      }
    },
  );

  it("a zone that is none is said to be none", () => {
    const schedule = () => parseSchedule("0 0 2 * * *", { WEBSITE_TIME_ZONE: "W. Europe Standard Time" });
    expect(schedule).toThrow("IANA time zone");
  });
});

describe("the clock", () => {
  it("that is set forward over a time runs for it, late, once", async () => {
    at("2026-11-20T01:00:00Z");
    start("0 0 2 * * *");
    await pass(0.5);
    at("2026-11-20T05:00:00Z");
    await pass(0.1);
    expect(runs).toEqual(["2026-11-20T05:00Z late"]);
    await pass(24);
    expect(runs).toEqual(["2026-11-20T05:00Z late", "2026-11-21T02:00Z"]);
  });

  it("that is set forward over many times runs once for all", async () => {
    at("2026-11-20T00:01:00Z");
    start("0 0 * * * *");
    at("2026-11-20T09:30:00Z");
    await pass(0.6);
    expect(runs).toEqual(["2026-11-20T09:30Z late", "2026-11-20T10:00Z"]);
  });

  it("that is set back an hour repeats no time", async () => {
    at("2026-11-20T01:59:00Z");
    start("0 0 2 * * *", () => at("2026-11-20T01:00:00Z"));
    await pass(2.5);
    expect(runs).toEqual(["2026-11-20T02:00Z"]);
  });

  it("that is set back while a time is waited for runs at that time", async () => {
    at("2026-11-20T01:59:00Z");
    start("0 0 2 * * *");
    at("2026-11-20T01:30:00Z");
    await pass(0.4);
    expect(runs).toEqual([]);
    await pass(0.2);
    expect(runs).toEqual(["2026-11-20T02:00Z"]);
  });

  it("that was a year ahead holds nothing up once it is right", async () => {
    at("2027-11-20T01:59:00Z");
    const first = start("0 0 2 * * *");
    await pass(1);
    await first.stop();
    at("2026-11-20T12:00:00Z");
    start("0 0 2 * * *");
    await pass(24);
    expect(runs).toEqual(["2027-11-20T02:00Z", "2026-11-21T02:00Z"]);
  });
});

describe("a host that was down", () => {
  it("runs once for what it missed", async () => {
    at("2026-11-20T00:30:00Z");
    await start("0 0 * * * *").stop();
    at("2026-11-20T04:45:00Z");
    start("0 0 * * * *");
    await pass(0.5);
    expect(runs).toEqual(["2026-11-20T04:45Z late", "2026-11-20T05:00Z"]);
  });

  it("that ended while the function ran, runs again for that time", async () => {
    at("2026-11-20T01:59:00Z");
    start("0 0 2 * * *", () => new Promise(() => undefined));
    await pass(0.1);
    stops = [];
    start("0 0 2 * * *");
    await pass(0.1);
    expect(runs).toEqual(["2026-11-20T02:00Z", "2026-11-20T02:05Z late"]);
  });

  it("goes by the schedule as it is now, without running for times of the old one", async () => {
    at("2026-11-20T00:30:00Z");
    await start("0 0 1 * * *").stop();
    at("2026-11-20T04:45:00Z");
    start("0 50 * * * *");
    await pass(1);
    expect(runs).toEqual(["2026-11-20T04:50Z"]);
  });
});

it("a run that takes longer than the interval is not overlapped, and not made up for", async () => {
  at("2026-11-20T00:59:00Z");
  start("0 0 * * * *", () => new Promise((resolve) => setTimeout(resolve, 2.5 * HOUR)));
  await pass(6);
  expect(runs).toEqual(["2026-11-20T01:00Z", "2026-11-20T04:00Z"]);
});
