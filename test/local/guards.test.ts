/** The local host against web pages, slow and numerous clients, and other users of the machine. */
import { readdirSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BodyReader } from "../../local/http/request-body.ts";
import { HttpServer } from "../../local/http/server.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { makeFolder } from "../harness/tree.ts";
import { begin, ended, FIXTURE_APP } from "./durable-helpers.ts";

let host: LocalHostProcess;
let folder: string;

beforeAll(async () => {
  folder = await makeFolder("guards");
  const state = path.join(folder, "state");
  // As somebody may have made it: open to all.
  await mkdir(state, { mode: 0o755 });
  host = await startLocalHost({ app: FIXTURE_APP, connectionString: "own", state });
});
afterAll(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Answers status and headers. By node:http, which sends any header that it is given. */
function ask(
  url: string,
  method: string,
  headers: Record<string, string>,
  body = "",
): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers }, (response) => {
      response
        .resume()
        .once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    });
    outgoing.once("error", reject).end(body);
  });
}

describe("a page in the user's browser", () => {
  const webhook = "/runtime/webhooks/durabletask";
  /** Each kind of address that there is; the first ones change something. */
  const addresses = [
    ["POST", `${webhook}/orchestrators/fan`],
    ["POST", `${webhook}/instances/known/terminate?reason=x`],
    ["POST", `${webhook}/instances/known/raiseEvent/x`],
    ["DELETE", `${webhook}/instances/known`],
    ["POST", "/orchestrators/fan"],
    ["GET", `${webhook}/instances`],
    ["GET", `${webhook}/instances/known`],
    ["GET", "/admin/host/status"],
    ["GET", "/"],
    ["GET", "/echo/literal"],
    ["OPTIONS", "/orchestrators/fan"],
  ] as const;

  it.each(addresses)(
    "%s %s: not by another name (DNS rebinding), not from another site or port",
    async (method, at) => {
      const { port } = new URL(host.url);
      const hostile: Record<string, string>[] = [
        { host: `rebound.example:${port}` },
        { host: "localhost.evil.example" },
        { origin: "https://evil.example" },
        { origin: "https://evil.example", "content-type": "text/plain" },
        // A page that another server on this machine serves, on any of its ports.
        { origin: "http://localhost:3000" },
        { origin: `http://127.0.0.1:${Number(port) + 1}`, "sec-fetch-site": "same-site" },
        { origin: `https://localhost:${port}` },
        { origin: "http://localhost", "content-type": "text/plain" },
        { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
        { origin: "null", "content-type": "application/x-www-form-urlencoded" },
        { origin: "https://evil.example", "content-type": "multipart/form-data; boundary=x" },
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
      ];
      for (const headers of hostile) {
        const answer = await ask(`${host.url}${at}`, method, headers, method === "POST" ? "{}" : "");
        expect(answer.status, JSON.stringify(headers)).toBe(403);
        expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
        expect(answer.headers["x-content-type-options"]).toBe("nosniff");
      }
      const fromOutsideBrowsers = {};
      const ownPages = [host.url, `http://localhost:${port}`].map((origin) => ({ origin }));
      for (const headers of [fromOutsideBrowsers, ...ownPages]) {
        const own = await ask(`${host.url}${at}`, method, headers, method === "POST" ? "{}" : "");
        expect(own.status, JSON.stringify(headers)).not.toBe(403);
        expect(Object.keys(own.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      }
    },
  );

  it("may lead to it: a link from another site opens", async () => {
    const link = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    expect((await ask(`${host.url}/`, "GET", link)).status).toBe(200);
    expect((await ask(`${host.url}/orchestrators/fan`, "POST", link)).status).toBe(403);
  });
});

/** Opens a socket, and gathers what comes and whether it was closed. */
async function open(
  port: number,
  address = "127.0.0.1",
): Promise<{ socket: Socket; text: () => string; closed: Promise<void> }> {
  const socket = connect(port, address);
  let text = "";
  socket.on("data", (data) => (text += data.toString("latin1"))).on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await Promise.race([new Promise((resolve) => socket.once("connect", resolve)), closed]);
  return { socket, text: () => text, closed };
}

/** A promise, and what resolves it. */
function signal(): [Promise<void>, () => void] {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((ok) => (resolve = ok));
  return [promise, resolve];
}

describe("slow and numerous clients", () => {
  let server: HttpServer;
  let port: number;
  const bodies = new BodyReader(3000);
  const [asked, isAsked] = signal();
  const [gone, letGo] = signal();
  beforeAll(async () => {
    const limits = { headersTimeout: 400, requestTimeout: 800, connections: 20 };
    server = new HttpServer(
      async (incoming, response) => {
        if (incoming.url === "/wait") {
          isAsked();
          await gone;
        }
        const body = await bodies.read(incoming, 1000);
        response.end(`${body.length} bytes`);
      },
      () => undefined,
      limits,
    );
    port = await server.listen(0);
  });
  afterAll(() => server.closeAll());

  it("headers that trickle, or never come, end with 408", async () => {
    const silent = await open(port);
    const slow = await open(port);
    slow.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n");
    const trickle = setInterval(() => slow.socket.write("X-More: 1\r\n"), 50);
    await Promise.all([silent.closed, slow.closed]);
    clearInterval(trickle);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("a body that trickles ends with 408", async () => {
    const slow = await open(port);
    slow.socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n");
    const trickle = setInterval(() => slow.socket.write("x"), 50);
    await slow.closed;
    clearInterval(trickle);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it.each([
    ["declared", "Content-Length: 100000\r\n\r\n"],
    ["in chunks", `Transfer-Encoding: chunked\r\n\r\n${"100\r\n".concat("x".repeat(256), "\r\n").repeat(5)}`],
  ])("a body that is too large, %s, is refused before it is all there", async (_how, rest) => {
    const large = await open(port);
    large.socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${rest}`);
    await large.closed;
    expect(large.text()).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("bodies that together are too large: some are refused, the others are read", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => open(port)));
    for (const { socket } of all) {
      socket.write(
        `POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 900\r\n\r\n${"x".repeat(800)}`,
      );
    }
    // Five hold nothing any more, for three alone fit; when these are through there is room again.
    const refused = all.map(({ closed }, index) => closed.then(() => index));
    await Promise.race(refused);
    for (const { socket } of all) socket.write("x".repeat(100));
    await Promise.all(refused);
    const answers = all.map(({ text }) => text().slice(9, 12));
    expect(answers.filter((status) => status === "503").length).toBeGreaterThan(0);
    expect(answers.filter((status) => status === "200").length).toBeGreaterThan(0);
    expect(new Set(answers)).toEqual(new Set(["200", "503"]));
    const after = await ask(`http://127.0.0.1:${port}/`, "POST", {}, "x".repeat(1000));
    expect(after.status).toBe(200);
  });

  it("more connections than there may be: those that have waited longest go, so that whoever asks is answered", async () => {
    const busy = await open(port);
    busy.socket.write("GET /wait HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const sendingBody = await open(port);
    sendingBody.socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n");
    await asked;
    const silent = await Promise.all(Array.from({ length: 60 }, () => open(port)));
    // Without any of the server's time-outs, which the others would wait for.
    const answer = await ask(`http://127.0.0.1:${port}/`, "POST", { connection: "close" }, "x");
    expect(answer.status).toBe(200);
    await Promise.all([sendingBody, ...silent.slice(0, 40)].map(({ closed }) => closed));
    expect(silent.filter(({ socket }) => !socket.destroyed).length).toBeLessThanOrEqual(20);
    letGo();
    await busy.closed;
    expect(busy.text()).toMatch(/^HTTP\/1\.1 200 /);
    for (const { socket } of silent) socket.destroy();
  });
});

describe("the real host's limits", () => {
  it("refuses headers beyond 16 KiB, and what is no HTTP", async () => {
    const { port } = new URL(host.url);
    const large = await open(Number(port));
    large.socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    await large.closed;
    expect(large.text()).toMatch(/^HTTP\/1\.1 431 /);
    const noise = await open(Number(port));
    noise.socket.write("\x16\x03\x01 no HTTP\r\n\r\n");
    await noise.closed;
    expect(noise.text()).toMatch(/^HTTP\/1\.1 400 /);
  });
});

it.runIf(process.platform === "linux")(
  "listens on 127.0.0.1 alone, not on every address of the machine",
  async () => {
    // All of 127.0.0.0/8 is this machine: what listens on every address is reached by this one, too.
    const other = await open(Number(new URL(host.url).port), "127.0.0.2");
    await other.closed;
    expect(other.socket.bytesRead).toBe(0);
  },
);

describe.runIf(process.platform !== "win32")("other users of the machine", () => {
  it("read nothing of the state: files are 0600 and folders 0700, Azurite's and SQLite's too", async () => {
    await ended(host, await begin(host, "fan"));
    const seen = readdirSync(host.state, { recursive: true, withFileTypes: true }).map((entry) => {
      const mode = statSync(path.join(entry.parentPath, entry.name)).mode & 0o777;
      return [entry.name, entry.isDirectory() ? "folder" : "file", mode.toString(8)] as const;
    });
    expect(seen.filter(([, kind, mode]) => mode !== (kind === "folder" ? "700" : "600"))).toEqual([]);
    const names = seen.map(([name]) => name).join();
    expect(names).toMatch(/\.sqlite/);
    expect(names).toMatch(/__azurite_db_blob__\.json/);
    expect(names).toMatch(/azurite\.log/);
  });
});
