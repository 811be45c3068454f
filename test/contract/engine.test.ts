/**
 * The engine, driven by the recordings: it is given the recorded answers of the worker and the recorded outcomes of
 * tasks, timers and events, and must produce the recorded trigger payloads, member by member and in order.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Action } from "../../local/durable/actions.ts";
import { openDatabase } from "../../local/durable/database.ts";
import { Engine } from "../../local/durable/engine.ts";
import { EventType, type ExecutionStarted, type HistoryEvent } from "../../local/durable/history-event.ts";
import { completed, eventRaised, failed } from "../../local/durable/new-event.ts";
import { Store } from "../../local/durable/store.ts";
import type { Task } from "../../local/durable/rows.ts";
import { Logger } from "../../local/log/logger.ts";
import type { InvocationResult } from "../../local/worker/messages.ts";
import { ORCHESTRATIONS, type RecordedPayload, type RecordedTurn, recordedTurns } from "./recordings.ts";

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "engine-"));
  store = new Store(openDatabase(path.join(folder, "hub.sqlite")));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(ORCHESTRATIONS)("%s", (file) => {
  it("sends the recorded payloads", async () => {
    for (const [instanceId, turns] of byInstance(recordedTurns(file))) {
      const sent = await drive(instanceId, turns);
      expect(sent.map(normalized)).toEqual(turns.map(({ trigger }) => normalized(trigger)));
      // toEqual ignores the order of members: the text does not.
      expect(sent.map((each) => JSON.stringify(normalized(each)))).toEqual(
        turns.map(({ trigger }) => JSON.stringify(normalized(trigger))),
      );
    }
  });
});

function byInstance(turns: RecordedTurn[]): Map<string, RecordedTurn[]> {
  const groups = new Map<string, RecordedTurn[]>();
  for (const turn of turns)
    groups.set(turn.trigger.instanceId, [...(groups.get(turn.trigger.instanceId) ?? []), turn]);
  return groups;
}

/** Runs the engine through the recorded turns of one instance; resolves with the payloads it sent. */
function drive(instanceId: string, turns: RecordedTurn[]): Promise<RecordedPayload[]> {
  return new Promise((resolve, reject) => {
    const sent: RecordedPayload[] = [];
    const tasks = new Map<number, Task>();
    const start = startOf(turns[0]);
    const shift = Date.now() - Date.parse(turns[0]?.trigger.history[0]?.Timestamp ?? "");
    const engine = new Engine(
      store,
      {
        invokeOrchestrator(_name, { payload }) {
          const trigger = JSON.parse(payload) as RecordedPayload;
          // Sub-orchestrations are recorded, and checked, as instances of their own.
          if (trigger.instanceId !== instanceId) return new Promise(() => undefined);
          const turn = turns[sent.length];
          sent.push(trigger);
          const next = turns[sent.length];
          if (next) setImmediate(() => deliver(next));
          else setImmediate(() => resolve(sent));
          return Promise.resolve(answer(turn, shift));
        },
        checkFunction: () => undefined,
        queueTasks: (queued) => {
          for (const task of queued) tasks.set(task.eventId, task);
        },
        fatal: reject,
      },
      new Logger({ verbose: false, sink: () => undefined }),
      10,
    );
    const deliver = (turn: RecordedTurn) => {
      for (const event of newEvents(turn)) {
        const task = "TaskScheduledId" in event ? tasks.get(event.TaskScheduledId) : undefined;
        if (event.EventType === EventType.TaskCompleted && task) {
          engine.taskDone(task, completed(EventType.TaskCompleted, task.eventId, event.Result));
        } else if (event.EventType === EventType.TaskFailed && task) {
          engine.taskDone(task, failed(EventType.TaskFailed, task.eventId, event.Reason, event.Details));
        } else if (event.EventType === EventType.SubOrchestrationInstanceCompleted) {
          engine.send(instanceId, null, completed(event.EventType, event.TaskScheduledId, event.Result));
        } else if (event.EventType === EventType.EventRaised) {
          engine.send(instanceId, null, eventRaised(event.Name, event.Input));
        }
        // Timers fire, and continued executions start, by themselves.
      }
    };
    void engine.resume();
    engine.create({
      instanceId,
      executionId: start.OrchestrationInstance.ExecutionId,
      name: start.Name,
      version: start.Version,
      input: start.Input,
      parent: start.ParentInstance,
    });
  });
}

function startOf(turn: RecordedTurn | undefined): ExecutionStarted {
  const start = turn?.trigger.history.find((event) => event.EventType === EventType.ExecutionStarted);
  if (start?.EventType !== EventType.ExecutionStarted)
    throw new Error("The recording does not begin with a start.");
  return start;
}

function newEvents({ trigger: { history } }: RecordedTurn): HistoryEvent[] {
  return history.slice(
    history.findLastIndex((event) => event.EventType === EventType.OrchestratorStarted) + 1,
  );
}

/** The recorded answer, with its times moved to the present. */
function answer(turn: RecordedTurn | undefined, shift: number): InvocationResult {
  if (!turn) throw new Error("The engine took more turns than were recorded.");
  const actions = structuredClone(turn.returned.actions);
  const move = (action: Action) => {
    if (action.fireAt !== undefined)
      action.fireAt = new Date(Date.parse(action.fireAt) + shift).toISOString();
    action.compoundActions?.forEach(move);
  };
  actions.flat().forEach(move);
  const json = JSON.stringify({ ...turn.returned, actions });
  return { status: "success", response: { invocationId: "", outputData: [], returnValue: { json } } };
}

/** Times and generated ids are left out; the form of an id (with or without dashes) stays. */
function normalized(payload: RecordedPayload): unknown {
  return JSON.parse(
    JSON.stringify(payload, (key, value: unknown) => {
      if (key === "Timestamp" || key === "FireAt") return "a time";
      return key === "ExecutionId" && typeof value === "string" ? value.replaceAll(/[0-9a-f]/g, "x") : value;
    }),
  );
}
