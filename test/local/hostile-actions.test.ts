/** Whatever an app answers as its actions, a turn comes to a decision: the host does not end, nor wait for ever. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { decideTurn } from "../../local/durable/decide-turn.ts";
import { executionStarted, turnMark } from "../../local/durable/new-event.ts";
import { EventType } from "../../local/durable/history-event.ts";

/** Random answers that are tried; more by FUZZ_RUNS. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 500);

const events = [
  turnMark(EventType.OrchestratorStarted),
  executionStarted({
    instanceId: "a",
    executionId: "b",
    name: "app",
    version: null,
    input: null,
    parent: null,
    generation: 0,
  }),
];

function decide(state: unknown) {
  const json = typeof state === "string" ? state : JSON.stringify(state);
  return decideTurn(
    "app",
    { status: "success", response: { returnValue: { json, data: "json" } } } as never,
    events,
    {
      executionId: "b",
      instanceId: "a",
      parentInstanceId: null,
      maximumTimer: 1e9,
      timerInterval: 1e8,
      checkFunction: () => undefined,
    },
  );
}

it.each([
  ["no state", "null"],
  ["no JSON", "{"],
  ["no actions", {}],
  ["an action that is none", { actions: [[null]] }],
  ["a name that is no text", { actions: [[{ actionType: 0, functionName: { a: 1 } }]] }],
  ["an id that no path can hold", { actions: [[{ actionType: 2, functionName: "x", instanceId: "a/b" }]] }],
  ["a time that is none", { actions: [[{ actionType: 5, fireAt: "soon" }]] }],
  ["any of no tasks", { actions: [[{ actionType: 11, compoundActions: [] }]] }],
  ["a retry without options", { actions: [[{ actionType: 1, functionName: "x", retryOptions: {} }]] }],
  ["an action of the future", { actions: [[{ actionType: 99 }]] }],
])("%s fails its orchestration, with words", (_what, state) => {
  const { ending } = decide(state);
  expect(ending).toMatchObject({ kind: "failed", reason: expect.stringMatching(/\w{4}/) });
});

it("all of no tasks resolves at once", () => {
  const state = { isDone: true, output: 1, actions: [[{ actionType: 12, compoundActions: [] }]] };
  expect(decide(state).ending).toEqual({ kind: "completed", output: "1" });
});

it("anything at all comes to a decision, of which only texts are written", () => {
  const action = fc.letrec<{ action: unknown }>((self) => ({ action: actionOf(self("action")) })).action;
  const state = fc.oneof(
    fc.jsonValue(),
    fc.record({
      isDone: fc.boolean(),
      actions: fc.array(fc.array(action, { maxLength: 4 }), { maxLength: 3 }),
    }),
  );
  fc.assert(
    fc.property(state, (value) => {
      const { scheduled, ending } = decide(value);
      expect(ending.kind).toMatch(/^(waiting|completed|failed|continued)$/);
      for (const { input, version } of scheduled) {
        expect(["string", "object"]).toContain(typeof input);
        expect(version === null || typeof version === "string").toBe(true);
      }
    }),
    { numRuns: RUNS },
  );
});

function actionOf(self: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const text = fc.oneof(fc.string(), fc.jsonValue());
  return fc.record(
    {
      actionType: fc.oneof(fc.integer({ min: -1, max: 15 }), fc.jsonValue()),
      functionName: text,
      instanceId: text,
      version: text,
      fireAt: text,
      externalEventName: text,
      retryOptions: fc.jsonValue(),
      input: fc.jsonValue(),
      compoundActions: fc.oneof({ maxDepth: 3 }, fc.jsonValue(), fc.array(self, { maxLength: 4 })),
    },
    { requiredKeys: [] },
  );
}
