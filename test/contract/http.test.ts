/** Each recorded request, sent again in order: status, header names, body members and their order must be the same. */
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalHostProcess, startLocalHost } from "../harness/local-host.ts";
import { begin, ended, statusOf } from "../local/durable-helpers.ts";
import { type RecordedExchange, recordedExchanges, recordedHistoryBody } from "./recordings.ts";
import { memberNames } from "./shape.ts";

/** Entities and the portal's page are not the local host's; its status page is checked below. */
const LEFT_OUT = ["entity", "root", "admin/host/status"];
const exchanges = recordedExchanges().filter(({ title }) => !LEFT_OUT.includes(title));
/** Headers of the servers themselves; the last is the local host's, which browsers reach without a key. */
const OF_THE_SERVER = ["server", "connection", "keep-alive", "x-content-type-options"];

let host: LocalHostProcess;
/** This host's id for a recorded one. */
const ids = new Map<string, string>();

beforeAll(async () => {
  const app = fileURLToPath(new URL("fixtures/http-app", import.meta.url));
  host = await startLocalHost({ app, connectionString: "none" });
});
afterAll(async () => {
  await host.stop();
});

interface Answer {
  status: number;
  headerNames: string[];
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function send(exchange: RecordedExchange, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${host.url}${path}`,
      { method: exchange.method, headers: exchange.headers },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headerNames: Object.keys(response.headers).filter((name) => !OF_THE_SERVER.includes(name)),
            headers: response.headers,
            body,
          }),
        );
      },
    );
    outgoing.on("error", reject).end(exchange.body);
  });
}

const ID = /(?<=instances\/|"instanceId":")[0-9a-f]{32}/;

/** Some instances were started off the record: their names stand in later answers. */
async function localId(recorded: string): Promise<string> {
  let id = ids.get(recorded);
  if (id === undefined) {
    const names = exchanges.map(
      ({ responseBody }) => new RegExp(`"name":"(\\w+)","instanceId":"${recorded}"`).exec(responseBody)?.[1],
    );
    id = await begin(host, names.find((name) => name !== undefined) ?? "unknown");
    ids.set(recorded, id);
  }
  return id;
}

it.each(exchanges.map((exchange, index) => [`${index + 1} ${exchange.title}`, exchange] as const))(
  "%s",
  async (_title, exchange) => {
    const recordedId = ID.exec(exchange.path)?.[0];
    const path =
      recordedId === undefined ? exchange.path : exchange.path.replace(recordedId, await localId(recordedId));
    const recordedStatus = /"runtimeStatus":"(\w+)"/.exec(exchange.responseBody)?.[1];
    let answer = await send(exchange, path);
    // The recording was made when the instance had got so far. (This host is faster: Pending may have gone by.)
    const until = Date.now() + 5_000;
    while (exchange.method === "GET" && !reached(answer, recordedStatus) && Date.now() < until)
      answer = await send(exchange, path);
    expect({ status: answer.status, of: answer.body }).toMatchObject({ status: exchange.status });
    expect(answer.headerNames.toSorted()).toEqual(
      exchange.headerNames.filter((name) => !OF_THE_SERVER.includes(name)).toSorted(),
    );
    const cut = exchange.responseBody.endsWith("(cut)");
    const wanted = memberNames(exchange.responseBody);
    expect(cut ? memberNames(answer.body).slice(0, wanted.length) : memberNames(answer.body)).toEqual(wanted);
    // A body that is not an object is a sentence (or nothing), and the same to the letter.
    const isText = !/^[{[]/.test(exchange.responseBody);
    const sentence = exchange.responseBody.replace(/[0-9a-f]{32}/, ids.get(recordedId ?? "") ?? "");
    expect(isText ? answer.body : sentence).toBe(sentence);
    const named = ["retry-after", "content-type"].filter((name) => answer.headers[name] !== undefined);
    expect(named.map((name) => answer.headers[name])).toEqual(
      named.map((name) => recordedHeader(exchange, name)),
    );
    const started = exchange.method === "POST" ? /"id":"([0-9a-f]{32})"/ : undefined;
    const from = started?.exec(exchange.responseBody)?.[1];
    const to = started?.exec(answer.body)?.[1];
    if (from !== undefined && to !== undefined) ids.set(from, to);
  },
);

function reached(answer: Answer, recordedStatus: string | undefined): boolean {
  return (
    recordedStatus === undefined ||
    recordedStatus === "Pending" ||
    answer.body.includes(`"runtimeStatus":"${recordedStatus}"`)
  );
}

/** What the README of the recordings says of these headers. */
function recordedHeader(exchange: RecordedExchange, name: string): string {
  if (name === "retry-after") return exchange.method === "POST" ? "10" : "5";
  return exchange.path.startsWith("/orchestrators/") ? "application/json" : "application/json; charset=utf-8";
}

it("shows a history's events with the recorded members", async () => {
  const id = await begin(host, "fanout", { n: 3 });
  await ended(host, id);
  const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true&showHistoryOutput=true");
  const recorded = recordedHistoryBody();
  for (const type of ["ExecutionStarted", "TaskCompleted"]) {
    const text = new RegExp(`\\{"EventType":"${type}".*?\\}(?=,\\{)`).exec(recorded)?.[0] ?? "{}";
    const event = historyEvents.find((each) => each["EventType"] === type) ?? {};
    expect(Object.keys(event)).toEqual(Object.keys(JSON.parse(text) as object));
  }
  expect(historyEvents.map((event) => event["EventType"])).toEqual([
    "ExecutionStarted",
    "TaskCompleted",
    "TaskCompleted",
    "TaskCompleted",
    "ExecutionCompleted",
  ]);
});

it("says when it runs, as the real host does", async () => {
  const recorded = recordedExchanges().find(({ title }) => title === "admin/host/status");
  const body = await (await fetch(`${host.url}/admin/host/status`)).text();
  expect(memberNames(body)).toEqual(memberNames(recorded?.responseBody ?? ""));
  expect((await fetch(host.url)).headers.get("content-type")).toBe("text/html");
});
