/** The local host against requests that would take its memory, and clients that would take its connections. */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalHostProcess } from "../harness/local-host.ts";
import { begin, ended, instanceUrl, raise, startFixture } from "../local/durable-helpers.ts";

const MIB = 1024 * 1024;
const JSON_HEADERS = { "content-type": "application/json" };

let host: LocalHostProcess;
/** An orchestration that waits for the event "go". */
let waiting: string;

beforeAll(async () => {
  host = await startFixture();
  waiting = await begin(host, "event");
});
afterAll(() => host?.stop());

const START = "/runtime/webhooks/durabletask/orchestrators/fan";

describe("bodies for the Durable API", () => {
  it.each([
    ["a start", () => host.url + START],
    ["an event", () => instanceUrl(host, waiting, "/raiseEvent/go")],
  ])("%s of more than 8 MiB is refused, at any depth and size", async (_what, address) => {
    const post = (body: string) => fetch(address(), { method: "POST", headers: JSON_HEADERS, body });
    expect((await post(JSON.stringify("x".repeat(8 * MIB)))).status).toBe(413);
    expect((await post("[".repeat(20_000_000))).status).toBe(413);
    for (const deep of [
      "[".repeat(MIB),
      `${'{"a":'.repeat(MIB)}0${"}".repeat(MIB)}`,
      "[".repeat(65) + "]".repeat(65),
    ]) {
      const answer = await post(deep);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain("nested");
    }
  });

  it("brackets in text and values 64 levels deep are fine", async () => {
    const deep = `${"[".repeat(63)}${JSON.stringify('[[{"'.repeat(1000))}${"]".repeat(63)}`;
    expect((await raise(host, waiting, "other", JSON.parse(deep))).status).toBe(202);
    expect((await raise(host, waiting, "go", { a: 1 })).status).toBe(202);
    expect((await ended(host, waiting)).runtimeStatus).toBe("Completed");
  });
});

it("600 clients that send nothing, or half a request, keep nobody out", async () => {
  const { port } = new URL(host.url);
  const slow = Array.from({ length: 600 }, () =>
    connect(Number(port), "127.0.0.1").on("error", () => undefined),
  );
  await Promise.all(slow.map((socket) => once(socket, "connect")));
  for (const socket of slow.slice(300))
    socket.write("POST /echo/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
  for (let tries = 0; tries < 5; tries++) {
    // Over a connection of its own each time.
    const [answer] = (await once(
      get(`${host.url}/echo/literal`, { agent: false, timeout: 5_000 }),
      "response",
    )) as [IncomingMessage];
    expect(answer.resume().statusCode).toBe(200);
  }
  for (const socket of slow) socket.destroy();
});
