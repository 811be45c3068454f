import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalHostProcess } from "../harness/local-host.ts";
import {
  begin,
  clientCall,
  ended,
  instanceUrl,
  post,
  raise,
  run,
  startFixture,
  statusOf,
  until,
} from "./durable-helpers.ts";

let host: LocalHostProcess;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "orchestrations-"));
  host = await startFixture();
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("activities and sub-orchestrations", () => {
  it("runs the recorded ones to the recorded ends", async () => {
    const outputs = Object.fromEntries(
      await Promise.all(
        ["fan", "sub", "retry", "any", "status", "timer"].map(
          async (name) => [name, (await run(host, name)).output] as const,
        ),
      ),
    );
    expect(outputs).toMatchObject({ fan: 9, sub: [9, 9], retry: "ok", any: 2 });
    expect(outputs["status"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(outputs["timer"] as string)).toBeGreaterThan(0);
  });

  it("fans out widely, whatever order the results come in", async () => {
    expect(await run(host, "fanout", { n: 300 })).toMatchObject({
      runtimeStatus: "Completed",
      output: 44_850,
    });
  });

  it("gives an activity its input as the real host converts it", async () => {
    const given = [1, 1.5, "text", "12", '{"a":1}', { a: [1, null] }, [2], null, true, ""];
    const { output } = await run(host, "inputs", given);
    expect(output).toEqual([
      { type: "number", input: 1 },
      { type: "number", input: 1.5 },
      { type: "string", input: "text" },
      { type: "string", input: "12" },
      { type: "string", input: '{"a":1}' },
      { type: "object", input: { a: [1, null] } },
      { type: "object", input: [2] },
      { type: "undefined" },
      // .NET writes a truth value with a capital letter, and so it arrives as text.
      { type: "string", input: "True" },
      { type: "string", input: "" },
      { type: "undefined" },
    ]);
  });

  it("names a sub-orchestration after its parent's execution and tells it of its parent", async () => {
    const id = await begin(host, "sub");
    await ended(host, id);
    const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true&showHistoryOutput=true");
    expect(historyEvents.map((event) => event["EventType"])).toEqual([
      "ExecutionStarted",
      "SubOrchestrationInstanceCompleted",
      "SubOrchestrationInstanceCompleted",
      "ExecutionCompleted",
    ]);
    const list = (await (await fetch(instanceUrl(host, "", `?instanceIdPrefix=${id}`))).json()) as {
      instanceId: string;
    }[];
    expect(list.map(({ instanceId }) => instanceId)).toEqual([id, `${id}:child`]);
  });

  it("reports an activity's error in the recorded words", async () => {
    const { runtimeStatus, output } = await run(host, "fails");
    expect(runtimeStatus).toBe("Failed");
    expect(output).toMatch(
      /^Orchestrator function 'fails' failed: Activity function 'boom' failed: {2}kaput 1 \n \{"\$type":"System.Exception, System.Private.CoreLib","ClassName":"System.Exception","Message":" kaput 1"/,
    );
    expect((await run(host, "caught")).output).toMatch(
      /^caught Activity function 'boom' failed: {2}kaput 2 \n \{/,
    );
  });

  it("passes a sub-orchestration's failure to its parent", async () => {
    const { runtimeStatus, output } = await run(host, "subfail");
    expect(runtimeStatus).toBe("Failed");
    expect(output).toMatch(
      /^Orchestrator function 'subfail' failed: Orchestrator function 'fails' failed: Activity function 'boom' failed: {2}kaput 1/,
    );
  });

  it.each([
    [
      "nosuch",
      "The function 'nosuch' doesn't exist, is disabled, or is not an orchestrator function. Additional info: The following are the known orchestrator functions: '",
    ],
    [
      "callsUnknown",
      "The function 'nope' doesn't exist, is disabled, or is not an activity function. Additional info: The following are the known activity functions: '",
    ],
    [
      "callsUnknownChild",
      "The function 'nope' doesn't exist, is disabled, or is not an orchestrator function.",
    ],
    [
      "emptyAll",
      "When constructing a CompoundTask (such as Task.all() or Task.any()), you must specify at least one Task.",
    ],
    ["entity", "An entity call is not supported on the local host; run the app with func start."],
    ["http", "callHttp is not supported on the local host; run the app with func start."],
  ])("fails %s with what is wrong", async (name, message) => {
    const { runtimeStatus, output } = await run(host, name);
    expect(runtimeStatus).toBe("Failed");
    const wanted = `Orchestrator function '${name}' failed: ${message}`;
    expect(String(output).slice(0, wanted.length)).toBe(wanted);
  });
});

describe("retries", () => {
  it("waits on a timer after every failed attempt, also the last", async () => {
    const id = await begin(host, "exhausted");
    expect((await ended(host, id)).output).toMatch(/'boom' failed: {2}kaput 7/);
    const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true");
    expect(historyEvents.map((event) => event["EventType"])).toEqual([
      "ExecutionStarted",
      "TaskFailed",
      "TimerCreated",
      "TimerFired",
      "TaskFailed",
      "TimerCreated",
      "TimerFired",
      "TaskFailed",
      "TimerCreated",
      "TimerFired",
      "ExecutionCompleted",
    ]);
  });

  it("backs off by the coefficient, up to the maximum", async () => {
    const id = await begin(host, "backsOff");
    await ended(host, id);
    const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true");
    const timers = historyEvents.filter((event) => event["EventType"] === "TimerCreated");
    const fireAt = timers.map((event) => Date.parse(event["FireAt"] as string));
    const waits = timers.map(
      (event, index) => (fireAt[index] ?? 0) - Date.parse(event["Timestamp"] as string),
    );
    // Each is set when the one before has fired; the turn that sets it may be late, never early.
    for (const [index, wanted] of [40, 80, 100, 100].entries()) {
      expect(waits[index]).toBeLessThanOrEqual(wanted);
      expect((fireAt[index] ?? 0) - (fireAt[index - 1] ?? 0)).toBeGreaterThanOrEqual(wanted);
    }
  });

  it("stops at retryTimeout rather than running all the attempts", async () => {
    const start = Date.now();
    // All twelve attempts would take hours.
    expect((await run(host, "givesUp")).output).toBe("gave up");
    expect(Date.now() - start).toBeLessThan(5_000);
  });

  it("keeps ids apart when several calls are retried side by side", async () => {
    expect((await run(host, "retriesSideBySide")).output).toEqual(["a", "b", "c", 42]);
  });

  it("retries a sub-orchestration, each time as a new instance", async () => {
    const id = await begin(host, "subRetry");
    expect((await ended(host, id)).runtimeStatus).toBe("Failed");
    const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true");
    expect(
      historyEvents.filter((event) => event["EventType"] === "SubOrchestrationInstanceFailed"),
    ).toHaveLength(2);
  });
});

describe("events, timers, continue-as-new", () => {
  it("keeps events that come before they are waited for", async () => {
    const id = await begin(host, "events");
    for (const [name, data] of [
      ["three", 3],
      ["two", { b: 2 }],
      ["one", "x"],
    ] as const) {
      expect((await raise(host, id, name, data)).status).toBe(202);
    }
    expect((await ended(host, id)).output).toEqual(["x", { b: 2 }, 3]);
  });

  it("carries unread events over when an orchestration continues as new", async () => {
    const id = await begin(host, "eventLoop");
    await Promise.all([1, 2, 3].map((item) => raise(host, id, "item", item)));
    const { output } = await ended(host, id);
    expect((output as number[]).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  it("starts the history anew when it continues as new", async () => {
    const id = await begin(host, "again", 0);
    expect(await ended(host, id)).toMatchObject({ output: 3, input: 3 });
    const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true");
    expect(historyEvents.map((event) => event["EventType"])).toEqual([
      "ExecutionStarted",
      "ExecutionCompleted",
    ]);
  });

  it("continues after a Task.any whose timer was cancelled", async () => {
    expect((await run(host, "anyThenMore")).output).toEqual([2, { type: "string", input: "more" }]);
  });

  it("cuts a timer beyond six days into intervals", async () => {
    const id = await begin(host, "longTimer");
    await until(host, id, ({ runtimeStatus }) => runtimeStatus === "Running");
    const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true");
    const timer = historyEvents.find((event) => event["EventType"] === "TimerCreated") ?? {};
    const days =
      (Date.parse(timer["FireAt"] as string) - Date.parse(timer["Timestamp"] as string)) / 86_400_000;
    expect(days).toBeCloseTo(3, 2);
    await post(instanceUrl(host, id, "/terminate?reason=enough"));
  });
});

describe("terminate, suspend, rewind, restart, purge", () => {
  it("terminates with the reason as the output, and leaves sub-orchestrations alone", async () => {
    const id = await begin(host, "parent");
    await until(host, `${id}-child`, (status) => status.runtimeStatus === "Running");
    expect((await post(instanceUrl(host, id, "/terminate?reason=because"))).status).toBe(202);
    expect(await ended(host, id)).toMatchObject({ runtimeStatus: "Terminated", output: "because" });
    expect((await statusOf(host, `${id}-child`)).runtimeStatus).toBe("Running");
    await raise(host, `${id}-child`, "go", 1);
    expect((await ended(host, `${id}-child`)).output).toBe(1);
  });

  it("tells the parent of a terminated sub-orchestration", async () => {
    const id = await begin(host, "parent");
    await until(host, `${id}-child`, (status) => status.runtimeStatus === "Running");
    await post(instanceUrl(host, `${id}-child`, "/terminate?reason=stop"));
    expect(await ended(host, id)).toMatchObject({
      runtimeStatus: "Failed",
      output: expect.stringContaining("stop"),
    });
  });

  it("holds events back while suspended", async () => {
    const id = await begin(host, "waitThenNote");
    await until(host, id, (status) => status.customStatus !== null);
    expect((await post(instanceUrl(host, id, "/suspend?reason=x"))).status).toBe(202);
    await until(host, id, (status) => status.runtimeStatus === "Suspended");
    await raise(host, id, "go", 1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await statusOf(host, id)).runtimeStatus).toBe("Suspended");
    expect((await post(instanceUrl(host, id, "/resume?reason=x"))).status).toBe(202);
    expect((await ended(host, id)).output).toBe(2);
  });

  it.each([false, true])(
    "rewinds what failed and keeps what completed (retried calls: %s)",
    async (retry) => {
      const file = path.join(folder, `rewind-${retry}`);
      // With two attempts a run: b fails in the first run, and once more in the second one when it is not retried.
      const id = await begin(host, "rewindable", { file, times: retry ? 2 : 1, retry });
      expect((await ended(host, id)).runtimeStatus).toBe("Failed");
      expect((await post(instanceUrl(host, id, "/rewind?reason=fixed"))).status).toBe(202);
      expect(await ended(host, id)).toMatchObject({
        runtimeStatus: "Completed",
        output: ["a", "b", "c", "d"],
      });
      const lines = readFileSync(file, "utf8").trim().split("\n");
      expect(lines.filter((line) => line === "a" || line === "c")).toHaveLength(2);
      expect(lines.filter((line) => line === "b")).toHaveLength(retry ? 3 : 2);
    },
  );

  it("moves the ids of what was retried after the failure", async () => {
    const file = path.join(folder, "rewind-retries");
    const id = await begin(host, "rewindableRetries", file);
    expect((await ended(host, id)).runtimeStatus).toBe("Failed");
    await post(instanceUrl(host, id, "/rewind?reason=fixed"));
    expect(await ended(host, id, 5_000)).toMatchObject({ output: ["early", "late", 2] });
    const names = readFileSync(file, "utf8").trim().split("\n");
    expect(names.toSorted()).toEqual(["early", "early", "early", "late", "late"]);
  });

  it("rewinds a failed sub-orchestration in place", async () => {
    const file = path.join(folder, "rewind-parent");
    const id = await begin(host, "rewindableParent", { file, times: 1 });
    expect((await ended(host, id)).runtimeStatus).toBe("Failed");
    await post(instanceUrl(host, id, "/rewind?reason=fixed"));
    expect(await ended(host, id)).toMatchObject({ output: ["before", ["a", "b", "c", "d"]] });
    expect(readFileSync(file, "utf8").match(/start before/g)).toHaveLength(1);
  });

  it("starts a terminated sub-orchestration again when its parent is rewound", async () => {
    const id = await begin(host, "parent");
    await until(host, `${id}-child`, (status) => status.runtimeStatus === "Running");
    await post(instanceUrl(host, `${id}-child`, "/terminate?reason=stop"));
    expect((await ended(host, id)).runtimeStatus).toBe("Failed");
    await post(instanceUrl(host, id, "/rewind?reason=again"));
    await until(host, `${id}-child`, (status) => status.runtimeStatus === "Running");
    await raise(host, `${id}-child`, "go", "second time");
    expect(await ended(host, id)).toMatchObject({ runtimeStatus: "Completed", output: "second time" });
  });

  it("restarts under a new id, or the old one", async () => {
    const id = await begin(host, "fanout", { n: 3 });
    await ended(host, id);
    const fresh = (await (await post(instanceUrl(host, id, "/restart"))).json()) as { id: string };
    expect(fresh.id).not.toBe(id);
    expect(await ended(host, fresh.id)).toMatchObject({ input: { n: 3 }, output: 3 });
    const same = (await (
      await post(instanceUrl(host, id, "/restart?restartWithNewInstanceId=false"))
    ).json()) as { id: string };
    expect(same.id).toBe(id);
    expect((await ended(host, id)).output).toBe(3);
    expect((await post(instanceUrl(host, "unknown", "/restart"))).status).toBe(400);
  });

  it("refuses a second one under the id of one that runs, and replaces one that has ended", async () => {
    const url = `${host.url}/runtime/webhooks/durabletask/orchestrators/child/twice`;
    expect((await post(url, 1)).status).toBe(202);
    expect((await post(url, 2)).status).toBe(409);
    await raise(host, "twice", "go", 1);
    await ended(host, "twice");
    expect((await post(url, 3)).status).toBe(202);
    expect((await statusOf(host, "twice")).input).toBe(3);
    await post(instanceUrl(host, "twice", "/terminate?reason=x"));
  });

  it("purges one, and all of a time and state", async () => {
    const from = new Date().toISOString();
    const ids = await Promise.all([1, 2].map(() => begin(host, "fails")));
    const done = await begin(host, "fan");
    for (const id of [...ids, done]) await ended(host, id);
    const purge = (query: string) => fetch(instanceUrl(host, "", query), { method: "DELETE" });
    expect((await purge("?runtimeStatus=Failed")).status).toBe(400);
    expect(await (await purge(`?createdTimeFrom=${from}&runtimeStatus=Failed`)).json()).toEqual({
      instancesDeleted: 2,
    });
    expect((await purge(`?createdTimeFrom=${from}&runtimeStatus=Failed`)).status).toBe(404);
    expect((await fetch(instanceUrl(host, done), { method: "DELETE" })).status).toBe(200);
    expect((await fetch(instanceUrl(host, done))).status).toBe(404);
  });
});

describe("queries and durable-functions' client", () => {
  it("lists in pages, each once", async () => {
    const ids = ["page-a", "page-b", "page-c", "page-d", "page-e"];
    for (const id of ids) await begin(host, "fan", undefined, id);
    const seen: string[] = [];
    let token: string | null = null;
    do {
      const headers: Record<string, string> = token === null ? {} : { "x-ms-continuation-token": token };
      const response = await fetch(instanceUrl(host, "", "?top=2&instanceIdPrefix=page-"), { headers });
      seen.push(...((await response.json()) as { instanceId: string }[]).map(({ instanceId }) => instanceId));
      token = response.headers.get("x-ms-continuation-token");
    } while (token !== null);
    expect(seen).toEqual(ids);
  });

  it("filters by state and time, and hides inputs when told to", async () => {
    const from = new Date().toISOString();
    const failed = await begin(host, "fails", "why");
    const completed = await begin(host, "fan", "what");
    await ended(host, failed);
    await ended(host, completed);
    const list = async (query: string) =>
      (await (await fetch(instanceUrl(host, "", query))).json()) as { instanceId: string; input: unknown }[];
    expect(
      (await list(`?createdTimeFrom=${from}&runtimeStatus=Failed`)).map(({ instanceId }) => instanceId),
    ).toEqual([failed]);
    expect(await list(`?createdTimeFrom=${from}&runtimeStatus=Failed,Completed`)).toHaveLength(2);
    expect(await list(`?createdTimeTo=1999-01-01`)).toEqual([]);
    expect((await list(`?createdTimeFrom=${from}&showInput=false`)).map(({ input }) => input)).toEqual([
      null,
      null,
    ]);
  });

  it("serves every method of the client over the RPC address", async () => {
    const { result: id } = await clientCall(host, "startNew", "waitThenNote", { input: { a: 1 } });
    await until(host, id as string, (status) => status.customStatus !== null);
    expect((await clientCall(host, "getStatus", id, { showHistory: true })).result).toMatchObject({
      runtimeStatus: "Running",
      input: { a: 1 },
    });
    await clientCall(host, "suspend", id, "x");
    await until(host, id as string, (status) => status.runtimeStatus === "Suspended");
    await clientCall(host, "resume", id, "x");
    await until(host, id as string, (status) => status.runtimeStatus === "Running");
    expect(await clientCall(host, "raiseEvent", id, "go", { x: 1 })).toEqual({ result: null });
    expect((await ended(host, id as string)).output).toBe(2);
    expect((await clientCall(host, "rewind", id, "x")).error).toContain(
      'only orchestrations in the "Failed" state can be rewound',
    );
    expect((await clientCall(host, "getStatusBy", { runtimeStatus: ["Completed"] })).result).toEqual(
      expect.arrayContaining([expect.objectContaining({ instanceId: id })]),
    );
    expect((await clientCall(host, "purgeInstanceHistory", id)).result).toEqual({ instancesDeleted: 1 });
    expect((await clientCall(host, "getStatus", id)).error).toContain("404");
    expect((await clientCall(host, "readEntityState", { name: "counter", key: "c" })).error).toContain(
      "not supported on the local host",
    );
  });

  it("waits for the end when asked to", async () => {
    const url = `${host.url}/runtime/webhooks/durabletask/orchestrators`;
    const response = await post(`${url}/fan?timeout=10&pollingInterval=0.02`, {});
    expect([response.status, await response.json()]).toEqual([200, 9]);
    expect((await post(`${url}/child/waits?timeout=0.1&pollingInterval=0.02`, {})).status).toBe(202);
    expect((await post(`${url}/fails?timeout=10&pollingInterval=0.02`, {})).status).toBe(200);
    expect((await post(`${url}/fan/a%2Fb`, {})).status).toBe(400);
  });
});
