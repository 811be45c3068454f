/**
 * The engine under random orders: programs are started, terminated, purged, rewound, suspended, started again under the
 * same ids, while hosts are killed. Whatever is due gets done: nothing waits for ever, and each program that completes
 * did each of its steps once.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AppRegistry } from "../../local/app/core-api.ts";
import { loadApp } from "../../local/app/load-app.ts";
import { ClientArgumentError, DurableClient, InstanceStateError } from "../../local/durable/client.ts";
import { openDatabase } from "../../local/durable/database.ts";
import { Engine } from "../../local/durable/engine.ts";
import { EventType } from "../../local/durable/history-event.ts";
import { completed, failed } from "../../local/durable/new-event.ts";
import { orchestrationRequest } from "../../local/durable/orchestration-request.ts";
import { isFinal, Status, statusName } from "../../local/durable/status.ts";
import { Store } from "../../local/durable/store.ts";
import { Logger } from "../../local/log/logger.ts";
import { InProcessWorker } from "../../local/worker/in-process-worker.ts";
import { FIXTURE_APP } from "./durable-helpers.ts";

const CASES = Number(process.env["MODEL_CASES"] ?? 16);
/** Programs take well under a second; what is not done by then waits for ever. */
const PATIENCE = 5_000;

interface Program {
  steps: Step[];
}
type Step =
  | { kind: "activity" | "failing" | "again" }
  | { kind: "timer" | "approval" | "race" | "retried"; ms: number }
  | { kind: "children"; programs: Program[] };

const ms = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 10, max: 60 }));
const { program } = fc.letrec<{ program: Program; step: Step }>((tie) => ({
  program: fc.record({ steps: fc.array(tie("step"), { maxLength: 3 }) }),
  step: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({
      kind: fc.constantFrom("timer" as const, "approval" as const, "race" as const, "retried" as const),
      ms,
    }),
    fc.record({ kind: fc.constantFrom("activity" as const, "failing" as const, "again" as const) }),
    fc.record({
      kind: fc.constant("children" as const),
      programs: fc.array(tie("program"), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));

/** Few ids, so that one is used again. */
const id = fc.constantFrom("a", "b", "c");
type Order =
  | { order: "start"; id: string; program: Program }
  | { order: "raise" | "terminate" | "purge" | "rewind" | "suspend" | "resume" | "restart"; id: string }
  | { order: "wait"; ms: number }
  | { order: "kill" };
const bare = (...orders: Exclude<Order["order"], "start" | "wait" | "kill">[]) =>
  fc.record({ order: fc.constantFrom(...orders), id }) as fc.Arbitrary<Order>;
const order: fc.Arbitrary<Order> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ order: fc.constant("start" as const), id, program }) },
  { weight: 4, arbitrary: bare("raise") },
  { weight: 4, arbitrary: bare("terminate", "purge", "rewind", "suspend", "resume", "restart") },
  {
    weight: 4,
    arbitrary: fc.record({ order: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 10 }) }),
  },
  { weight: 1, arbitrary: fc.record({ order: fc.constant("kill" as const) }) },
);

let app: AppRegistry;
let folder: string;
beforeAll(async () => {
  app = await loadApp(FIXTURE_APP, () => undefined);
  folder = mkdtempSync(path.join(tmpdir(), "engine-model-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

it("does all that is due, whatever is asked of it in between", { timeout: 120_000 }, async () => {
  const ends = new Map<string, number>();
  // Side by side, for most of the time they wait for timers.
  const some = fc.array(fc.array(order, { minLength: 40, maxLength: 60 }), { minLength: 8, maxLength: 8 });
  const property = fc.asyncProperty(some, async (cases) => {
    await Promise.all(cases.map((orders) => play(orders, ends)));
  });
  await fc.assert(property, { numRuns: Math.ceil(CASES / 8), endOnFailure: true });
  for (const status of ["Completed", "Failed", "Terminated"]) expect(ends.get(status)).toBeGreaterThan(0);
});

/** Carries out the orders, waits for the end of everything, and counts how the instances ended. */
async function play(orders: Order[], ends: Map<string, number>): Promise<void> {
  const file = path.join(folder, `${(files += 1)}.sqlite`);
  let host = open(file);
  for (const each of orders) {
    if (each.order === "wait") await sleep(each.ms);
    else if (each.order === "kill") {
      host.kill();
      host = open(file);
    } else ask(host.client, each);
  }
  const rows = await settled(host);
  host.kill();
  for (const row of rows) {
    ends.set(statusName(row.status), (ends.get(statusName(row.status)) ?? 0) + 1);
    if (row.status !== Status.Completed) continue;
    const { steps, done = 0 } = JSON.parse(row.input ?? "") as Program & { done?: number };
    expect(`${row.id}: ${row.output}`).toBe(`${row.id}: ${done + countOf(steps)}`);
  }
}

function ask(client: DurableClient, each: Exclude<Order, { order: "wait" | "kill" }>): void {
  try {
    if (each.order === "start") client.start("program", JSON.stringify(each.program), each.id);
    else if (each.order === "raise") client.raiseEvent(each.id, "go", null);
    else if (each.order === "restart") client.restart(each.id, false);
    else if (each.order === "purge") client.purge(each.id);
    else if (each.order === "rewind") client.rewind(failedOne(client) ?? each.id, "as the model says");
    else client[each.order](each.id, "as the model says");
  } catch (error) {
    // What cannot be asked of an instance in its present state is refused.
    if (!(error instanceof InstanceStateError || error instanceof ClientArgumentError)) throw error;
  }
}

/** An orchestration that failed and is nobody's child, if there is one. */
function failedOne(client: DurableClient): string | undefined {
  const query = {
    instanceIdPrefix: "",
    createdFrom: 0,
    createdTo: Date.now(),
    statuses: [Status.Failed],
    top: 100,
    from: "",
  };
  return client.list(query).instances.find(({ parent }) => parent === null)?.id;
}

/** A host on this file: the engine, with an app whose activities take a little time. */
function open(file: string) {
  const store = new Store(openDatabase(file));
  const worker = new InProcessWorker(app, () => undefined);
  let killed = false;
  const engine = new Engine(
    store,
    {
      invokeOrchestrator(name, turn) {
        const metadata = app.functions.get(name)?.metadata;
        if (!metadata) throw new Error(`There is no ${name}.`);
        return worker.invoke(orchestrationRequest(metadata, turn));
      },
      checkFunction: () => undefined,
      queueTasks(tasks) {
        for (const task of tasks) {
          setTimeout(() => {
            if (killed) return;
            const { eventId } = task;
            const fails = task.name === "workThatFails" && Math.random() < 0.3;
            engine.taskDone(
              task,
              fails
                ? failed(EventType.TaskFailed, eventId, "it failed", "")
                : completed(EventType.TaskCompleted, eventId, "1"),
            );
          }, Math.random() * 10);
        }
      },
      fatal(error) {
        if (!killed) throw error as Error;
      },
    },
    new Logger({ verbose: false, sink: () => undefined }),
    4,
  );
  void engine.resume();
  return {
    store,
    client: new DurableClient(engine),
    /** What was committed stays; what was under way is lost. */
    kill() {
      killed = true;
      store.close();
    },
  };
}

/** Lets what is suspended continue, and waits for the end of everything. */
async function settled({ store, client }: ReturnType<typeof open>) {
  const all = () => store.instances("", "", 0, Number.MAX_SAFE_INTEGER, [], 10_000);
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const rows = all();
    const open = rows.filter(({ status }) => !isFinal(status));
    if (open.length === 0 && store.tasks().length === 0 && store.messages().length === 0) break;
    if (performance.now() > deadline) {
      const waiting = open.map((row) => ({
        id: row.id,
        status: statusName(row.status),
        history: store.history(row.id).map(({ event }) => event),
      }));
      throw new Error(`These wait for ever: ${JSON.stringify(waiting, null, 1)}`);
    }
    for (const row of open) if (row.status === Status.Suspended) client.resume(row.id, "at the end");
    await sleep(5);
  }
  expect(store.timers()).toEqual([]);
  return all();
}

function countOf(steps: Step[]): number {
  return steps.reduce(
    (sum, step) =>
      sum +
      1 +
      (step.kind === "children" ? step.programs.reduce((all, each) => all + countOf(each.steps), 0) : 0),
    0,
  );
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
