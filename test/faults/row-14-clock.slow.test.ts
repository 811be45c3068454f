/**
 * Row 14: somebody sets the clock back and forth while orchestrations wait for timers and retries, and while backups run
 * on a schedule (more of schedules: test/local/timer-clock.test.ts). The clock of the host's process is moved, by
 * clock.mjs; that of the machine cannot be.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileURLToPath } from "node:url";
import { begin, ended, statusOf, until } from "../local/durable-helpers.ts";
import { counted, PATIENCE } from "../harness/faults.ts";
import { startLocalHost, type LocalHostOptions, type LocalHostProcess } from "../harness/local-host.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";

const APP = fileURLToPath(new URL("clock-app", import.meta.url));
const HOUR = 3_600_000;
const WAIT = 1_500;
const TIMES = 2;

let folder: string;
let clock: string;
let host: LocalHostProcess;

beforeEach(async () => {
  folder = await makeFolder("clock");
  clock = path.join(folder, "offset");
});
afterEach(async () => {
  await host?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a host whose clock the test sets. */
async function start({ env, ...options }: LocalHostOptions): Promise<void> {
  host = await startLocalHost({
    entry: "build",
    ...options,
    env: {
      ...env,
      CLOCK_OFFSET_FILE: clock,
      NODE_OPTIONS: `--import=${new URL("clock.mjs", import.meta.url).href}`,
    },
  });
}

/** In one step, for the host reads it all the time. */
function setClock(offset: number): void {
  writeFileSync(`${clock}.new`, String(offset));
  renameSync(`${clock}.new`, clock);
}

interface Event {
  EventType: string;
  FunctionName?: string;
  Timestamp: string;
}

describe("row 14: the clock jumps", () => {
  it.each([
    ["an hour back", [-HOUR]],
    ["an hour forth", [HOUR]],
    ["back and forth, at each step", [-HOUR, HOUR, -24 * HOUR, 0]],
    ["an hour back, and the host is killed", [-HOUR, "kill" as const]],
  ])(
    "%s: timers and retries come in time, each activity runs once, the history is in order",
    async (_name, jumps) => {
      await start({ app: APP, connectionString: "none" });
      const file = path.join(folder, "notes");
      const since = performance.now();
      const id = await begin(host, "waits", { file, times: TIMES, milliseconds: WAIT });
      await until(host, id, ({ runtimeStatus }) => runtimeStatus === "Running", 60_000);
      for (const jump of jumps) {
        if (jump === "kill") {
          await host.kill();
          host = await host.restart();
        } else setClock(jump);
        await new Promise((resolve) => setTimeout(resolve, WAIT * 0.6));
      }
      const status = await ended(host, id, 120_000);
      const seconds = (performance.now() - since) / 1000;
      expect(status).toMatchObject({
        runtimeStatus: "Completed",
        output: [...Array.from({ length: TIMES }, (_none, time) => `note ${time}`), "retried"],
      });
      const notes = readFileSync(file, "utf8").trim().split("\n");
      expect(notes).toEqual(["note 0", "note 1", "retried 0", "retried 1"]);
      const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true");
      const types = (historyEvents as unknown as Event[])
        .filter(({ EventType: type }) => type !== "TimerCreated")
        .map(({ EventType: type, FunctionName: name }) =>
          type.startsWith("Task") ? `${type} ${name}` : type,
        );
      expect(types).toEqual([
        "ExecutionStarted",
        "TimerFired",
        "TaskCompleted note",
        "TimerFired",
        "TaskCompleted note",
        "TaskFailed failsOnce",
        "TimerFired",
        "TaskCompleted failsOnce",
        "ExecutionCompleted",
      ]);
      counted(14, { jumps: jumps.length, timers: TIMES + 1, events: types.length, s: Math.round(seconds) });
    },
    PATIENCE,
  );
});

describe("row 14: the clock jumps while backups run on a schedule", () => {
  it(
    "no moment has two runs, and none is waited for that lies hours ahead",
    async () => {
      const root = await makeTree(path.join(folder, "root"), { file: "content" });
      const env = { BACKUP_SCHEDULE: "* * * * * *", BACKUP_SCHEDULE_INPUT: JSON.stringify({ root }) };
      const since = Date.now();
      await start({ env });
      const due = (event: "started" | "settled") =>
        [...host.logs().matchAll(new RegExp(`event=run\\.${event} .*?due=(\\S+)`, "g"))].map(([, at]) => at!);
      /** Until so many more of these have come since it was called. */
      const more = async (event: "started" | "settled", count: number) => {
        const wanted = due(event).length + count;
        const end = performance.now() + 90_000;
        while (due(event).length < wanted) {
          if (performance.now() > end) throw new Error(`no ${event} run came\n${host.logs().slice(-3_000)}`);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      await more("started", 2);
      setClock(3 * HOUR);
      await more("started", 2);
      // To when the first runs were not there yet: their moments come round again.
      setClock(since - 2_000 - Date.now());
      await more("settled", 1);
      await more("started", 2);
      setClock(-26 * HOUR);
      await more("started", 2);
      const moments = due("started");
      expect(new Set(moments).size).toBe(moments.length);
      const { runs } = (await (await fetch(`${host.url}/backups?limit=1000`)).json()) as {
        runs: { id: string; status: string }[];
      };
      expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
      expect(runs.filter(({ status }) => status === "failed")).toEqual([]);
      counted(14, { "runs on a schedule": moments.length, "moments that came twice": due("settled").length });
    },
    PATIENCE,
  );
});
