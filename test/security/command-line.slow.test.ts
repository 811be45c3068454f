/** Attacks on whoever uses the command line: by an app that is not what it seems, and by names that strangers give. */
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "../cli/command.ts";
import { here } from "../cli/here.ts";
import { makeFolder } from "../harness/tree.ts";

const KEY = "s3cret-function-key";
const ID = "1d0e432730114054a8168f3e14bea06b";
/** A line of its own, an order to the terminal in one byte and in two, text that runs backwards, a byte that is no UTF-8. */
const HOSTILE = "x\nOutput   0\r\u001b[2J\u009b2J\u202egpj\u2028\udcff";

const RUN = {
  id: ID,
  app: HOSTILE,
  kind: "backup",
  root: `/srv/${HOSTILE}`,
  destination: { container: "backups", prefix: HOSTILE, url: `http://127.0.0.1/${HOSTILE}` },
  mode: "full",
  status: "failed",
  started: "2026-11-23T14:30:00.000Z",
  finished: "2026-11-23T14:31:00.000Z",
  counts: {
    copied: 0,
    unchanged: 0,
    vanished: 0,
    skipped: 0,
    failed: 1,
    directories: 0,
    bytes: 0,
    unchangedBytes: 0,
  },
  bytes: 0,
  message: HOSTILE,
};
const FILE = { path: HOSTILE, outcome: "failed", kind: "file", size: 1, reason: HOSTILE };

type Answer = (response: ServerResponse, url: string) => void;

interface Listener {
  url: string;
  seen: { url: string; headers: IncomingHttpHeaders }[];
  answer: Answer;
  server: Server;
}

async function listen(): Promise<Listener> {
  const seen: Listener["seen"] = [];
  const server = createServer(({ url = "", headers }, response) => {
    seen.push({ url, headers });
    listener.answer(response, url);
  });
  const listener: Listener = { url: "", seen, answer: (response) => response.writeHead(404).end(), server };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  listener.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return listener;
}

let app: Listener;
let stranger: Listener;
let folder: string;
beforeAll(async () => {
  [app, stranger] = await Promise.all([listen(), listen()]);
  folder = await makeFolder("security-cli");
});
afterAll(() => {
  app.server.close();
  stranger.server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  for (const { seen } of [app, stranger]) seen.length = 0;
});

function json(value: unknown, status = 200, headers = {}): Answer {
  return (response) =>
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(value));
}

describe("the key", () => {
  const env = { SITE_BACKUP_KEY: KEY };

  it.each([301, 302, 307, 308])("is not sent where the app redirects to (%d)", async (status) => {
    app.answer = (response, url) => response.writeHead(status, { Location: `${stranger.url}${url}` }).end();
    const { code, stderr } = await here(["runs", "--url", app.url], { env });
    expect({ code, seen: stranger.seen }).toEqual({ code: 1, seen: [] });
    expect(stderr).toContain(`redirects to ${stranger.url}.`);
  });

  it("is not sent to a Location of another port: the app itself is asked for what it names", async () => {
    app.answer = (response, url) => {
      if (url.startsWith("/orchestrators"))
        json({ id: ID }, 202, { Location: `${stranger.url}/status?code=abc` })(response, url);
      else if (url.startsWith("/status")) json({ runtimeStatus: "Completed", output: 0 })(response, url);
      else json({ ...RUN, status: "completed" })(response, url);
    };
    const { code } = await here(["backup", "/srv", "--url", app.url], { env });
    expect({ code, seen: stranger.seen }).toEqual({ code: 0, seen: [] });
    expect(app.seen.map(({ url }) => url)).toContain("/status?code=abc");
    expect(new Set(app.seen.map(({ headers }) => headers["x-functions-key"]))).toEqual(new Set([KEY]));
  });

  it("is not sent over http to another machine", async () => {
    const { code, stdout, stderr } = await here(["runs", "--url", "http://backups.example"], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^.*key .* http:\/\/backups\.example\b.* https\b.*\n$/);
  });

  it("need not stand in the command line, where all users see it: a file or standard input gives it", async () => {
    app.answer = json({ runs: [] });
    const file = path.join(folder, "key");
    writeFileSync(file, `${KEY}\n`, { mode: 0o600 });
    await here(["runs", "--url", app.url, "--key-file", file]);
    await run(["runs", "--url", app.url, "--key-file", "-"], { input: `${KEY}\n` });
    expect(app.seen.map(({ headers }) => headers["x-functions-key"])).toEqual([KEY, KEY]);
  });

  it.each([
    ["--url", `https://user:${KEY}@app.example`],
    ["--url", `https://app.example/api?code=${KEY}`],
    ["--key", `${KEY}\nx`],
    ["--key", `${KEY}\u2603`],
  ])("%s %j: no message repeats it", async (option, value) => {
    const { code, stdout, stderr } = await here(["runs", "--url", app.url, option, value]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).not.toContain(KEY);
    expect(stderr).not.toContain("    at ");
  });
});

describe("a terminal", () => {
  beforeAll(() => {
    app.answer = () => undefined;
  });
  const answers: Answer = (response, url) => {
    if (url.includes("/files")) json({ files: [FILE] })(response, url);
    else if (url.includes("/deleted")) json({ deleted: [{ path: HOSTILE, kind: "file" }] })(response, url);
    else if (url.includes(ID)) json(RUN)(response, url);
    else json({ runs: [RUN] })(response, url);
  };
  const refusal: Answer = json({ detail: HOSTILE }, 409, { "Content-Type": "application/problem+json" });
  const nonsense: Answer = (response) => response.writeHead(500).end(HOSTILE);

  it.each([
    ["runs", answers, ["runs"]],
    ["show", answers, ["show", ID]],
    ["watch", answers, ["watch", ID]],
    ["files", answers, ["files", ID]],
    ["files --deleted", answers, ["files", ID, "--deleted"]],
    ["a refusal", refusal, ["runs"]],
    ["a failure", nonsense, ["runs"]],
    ["what was typed", answers, ["runs", "--since", HOSTILE]],
    ["an option that does not exist", answers, ["runs", `--${HOSTILE.slice(2)}`]],
  ])("obeys nothing, and sees no line that a name forges: %s", async (_what, answer, args) => {
    app.answer = answer;
    const { stdout, stderr } = await here([...args, "--url", app.url]);
    expectHarmless(stdout + stderr);
  });

  it.each([
    ["runs", answers, ["runs"], { root: RUN.root, message: HOSTILE }],
    ["files", answers, ["files", ID], { path: HOSTILE, reason: HOSTILE }],
    ["a refusal", refusal, ["runs"], {}],
  ])("obeys nothing of --json, which still parses to the same: %s", async (_what, answer, args, fields) => {
    app.answer = answer;
    const { stdout, stderr } = await here([...args, "--url", app.url, "--json"]);
    expectHarmless(stdout + stderr);
    expect(JSON.parse(stdout)).toMatchObject(fields);
  });
});

/** No character that a terminal obeys, and no line that a name has made. */
function expectHarmless(text: string): void {
  expect(text.match(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu)).toBeNull();
  expect(text).not.toMatch(/^Output/m);
}
