/**
 * Row 14: somebody sets the clock back and forth while orchestrations wait for timers and retries (schedules have tests
 * of their own). The clock of the host's process is moved, by clock.mjs; that of the machine cannot be.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileURLToPath } from "node:url";
import { begin, ended, statusOf, until } from "../local/durable-helpers.ts";
import { counted, PATIENCE } from "../harness/faults.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { makeFolder } from "../harness/tree.ts";

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
  host = await startLocalHost({
    app: APP,
    entry: "build",
    connectionString: "none",
    env: {
      CLOCK_OFFSET_FILE: clock,
      NODE_OPTIONS: `--import=${new URL("clock.mjs", import.meta.url).href}`,
    },
  });
});
afterEach(async () => {
  await host?.stop();
  rmSync(folder, { recursive: true, force: true });
});

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
  ])(
    "%s: timers and retries come in time, each activity runs once, the history is in order",
    async (_name, jumps) => {
      const file = path.join(folder, "notes");
      const since = performance.now();
      const id = await begin(host, "waits", { file, times: TIMES, milliseconds: WAIT });
      await until(host, id, ({ runtimeStatus }) => runtimeStatus === "Running", 60_000);
      for (const jump of jumps) {
        setClock(jump);
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
