import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalHostProcess, startLocalHost } from "../harness/local-host.ts";

let host: LocalHostProcess;
beforeAll(async () => {
  const app = fileURLToPath(new URL("fixtures/stream-app", import.meta.url));
  host = await startLocalHost({ app, connectionString: "none" });
});
afterAll(async () => {
  await host.stop();
});

const get = async (path: string): Promise<unknown> => (await fetch(`${host.url}/${path}`)).json();

it("streams requests and answers, part by part", async () => {
  const response = await fetch(`${host.url}/count/bytes`, { method: "POST", body: "x".repeat(300_000) });
  expect([response.status, response.headers.get("x-streamed")]).toEqual([202, "yes"]);
  let text = "";
  for await (const part of response.body ?? []) {
    text += Buffer.from(part).toString();
    if (text === "bytes ") await fetch(`${host.url}/received`);
  }
  expect(text).toBe("bytes 300000");
});

it("gives the app the query's parameters and the route's as its params, and no key", async () => {
  const answer = await fetch(`${host.url}/params/of-route?word=of-query&other=a%20b&code=KEY`);
  expect(await answer.json()).toEqual({ word: "of-route", other: "a b" });
});

it("answers 500 when the function throws", async () => {
  expect((await fetch(`${host.url}/throws`)).status).toBe(500);
});

it("an answer without a body", async () => {
  const answer = await fetch(`${host.url}/unmodified`);
  expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([304, '"x"', ""]);
});

it.each([
  ["throws", ""],
  ["throws", "&length"],
  ["dies", ""],
  ["dies", "&length"],
])("an answer that breaks off in its middle does not look whole: %s%s", async (how, length) => {
  const answer = await fetch(`${host.url}/half?how=${how}${length}`);
  expect(answer.status).toBe(200);
  await expect(answer.arrayBuffer()).rejects.toThrow("terminated");
});

it("a client that leaves ends the answer in the app", async () => {
  const before = (await get("closed")) as number;
  const abort = new AbortController();
  const answer = await fetch(`${host.url}/half?how=never`, { signal: abort.signal });
  await answer.body?.getReader().read();
  abort.abort();
  // Each question is an answer that closes, too.
  let asked = 0;
  const others = async () => ((await get("closed")) as number) - before - ++asked;
  await expect.poll(others, { timeout: 10_000 }).toBe(1);
});

it("a client that does not read holds the app up, and fills no memory", async () => {
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  socket.pause().write("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
  let taken = (await get("taken")) as number;
  for (let before = -1; taken === 0 || taken !== before; taken = (await get("taken")) as number) {
    before = taken;
    await sleep(200);
  }
  // What the buffers of three connections hold.
  expect(taken).toBeLessThan(40_000_000);
  socket.destroy();
});

it("a client whose body is not read gets its answer, though it is still sending, and then its connection ends", async () => {
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  let text = "";
  socket.on("data", (some) => (text += some.toString()));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  socket.write("POST /unread HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const sending = setInterval(() => socket.write(`10000\r\n${"x".repeat(65_536)}\r\n`), 1);
  await closed;
  clearInterval(sending);
  expect(text).toMatch(/^HTTP\/1\.1 413 [^]*too much/);
});

it("forwards to the app alone, whatever the address says", async () => {
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  let text = "";
  socket.on("data", (some) => (text += some.toString()));
  socket.write("GET //params/elsewhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  expect(text).toContain('{"word":"elsewhere"}');
});

it.runIf(process.platform === "linux")("listens on the loopback alone, for the app's server too", () => {
  const own = readdirSync(`/proc/${host.pid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${host.pid}/fd/${fd}`))?.[1];
    } catch {
      // Closed meanwhile.
      return undefined;
    }
  });
  const LISTENING = "0A";
  const addresses = ["tcp", "tcp6"].flatMap((family) =>
    readFileSync(`/proc/${host.pid}/net/${family}`, "utf8")
      .split("\n")
      .map((each) => each.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTENING && own.includes(fields[9]))
      .map((fields) => fields[1]?.split(":")[0]),
  );
  expect(addresses).toEqual(["0100007F", "0100007F", "0100007F"]);
});
