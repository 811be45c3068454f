/** `site-backup backup` and its kin against a local host that is up. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { bytes, makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { besidesProgress, objects, run } from "./command.ts";
import { here } from "./here.ts";

let host: LocalHostProcess;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await makeFolder("cli");
  host = await startLocalHost({ entry: "build", env: { BACKUP_REQUESTS_IN_FLIGHT: "2" } });
  env = { FUNCTIONS_PORT: new URL(host.url).port };
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

const RUN = /[0-9a-f]{32}/;

describe("backup", () => {
  it("all files: exit code 0, and where everything is, in plain lines", async () => {
    const root = await makeTree(path.join(folder, "plain"), { "a.txt": "hello", "b/c.bin": bytes(3000) });
    const { code, stdout, stderr } = await run(["backup", "plain"], { env, cwd: folder });
    expect(besidesProgress(stderr)).toMatch(/^.+\n$/);
    expect(stderr).toContain(root);
    expect(stdout).toMatch(/^ {2}Files {4}2 copied$/m);
    expect(stdout).toMatch(/^ {2}Bytes {4}2\.9 KiB in [\d.]+ m?s(ec)?, [\d.]+ \w+\/s$/m);
    expect(stdout).toMatch(/^ {2}Blobs {4}http:\/\/127\.0\.0\.1:\d+\/test[0-9a-f]{16}\/backups$/m);
    expect(stdout).toMatch(/^ {2}Layout {3}files$/m);
    expect(stdout).toMatch(/^ {2}Record {3}http:\S+\/backup-runs\/[0-9a-f]{32}$/m);
    expect(stdout).toMatch(/^ {2}Output {3}3005$/m);
    // No colours, no cursor movements.
    expect(stdout + stderr).not.toContain("\u001b");
    expect(code).toBe(0);
  });

  it("again: what has changed by the record of the last one; with --full everything", async () => {
    const again = async (...args: string[]) => {
      const { stdout } = await run(["backup", "plain", "--json", ...args], { env, cwd: folder });
      return objects(stdout).at(-1) as { run: string };
    };
    const unchanged = await again();
    expect(unchanged).toMatchObject({
      mode: "incremental",
      counts: { copied: 0, unchanged: 2 },
      comparedWith: { run: expect.stringMatching(RUN) },
    });
    expect(await again("--full")).toMatchObject({ mode: "full", counts: { copied: 2, unchanged: 0 } });
    const shown = await here(["show", unchanged.run], { env });
    expect(shown.stdout).toMatch(/^ {2}Compared with the record of [0-9a-f]{32}$/m);
    const { code, stderr } = await run(["backup", "plain", "--full", "--checksum"], { env, cwd: folder });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^--full .*--checksum.*\n$/) });
  });

  it("some files failed: exit code 3, and which and why", async () => {
    const root = await makeTree(path.join(folder, "some"), { good: "1", "bad.": "2", "\u001b[31mred.": "3" });
    const { code, stdout, stderr } = await here(["backup", root, "--container", "some"], { env });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^2 .*:\n {2}\\u\{1b\}\[31mred\.: .*control.*\n {2}bad\.: .*"\."/m);
    expect(stdout).toContain("1 copied, 2 failed");
    expect(stdout).not.toContain("Output");
    const [id = ""] = RUN.exec(stdout) ?? [];
    const failed = await here(["files", id, "--failed", "--json"], { env });
    expect(objects(failed.stdout)).toEqual([
      expect.objectContaining({ type: "file", path: "\u001b[31mred.", outcome: "failed" }),
      expect.objectContaining({ type: "file", path: "bad.", outcome: "failed" }),
    ]);
    const shown = await here(["show", id], { env });
    expect(shown.stdout).toMatch(/^2 .*:\n {2}\\u\{1b\}\[31mred\.: .*\n {2}bad\.: /m);
  });

  it("nothing could be backed up: exit code 1, in one sentence", async () => {
    const missing = path.join(folder, "missing\u001b[31m");
    const { code, stdout, stderr } = await here(["backup", missing, "--container", "missing"], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    const shown = path.join(folder, "missing");
    expect(stderr.split(`${shown}\\u{1b}[31m`)).toHaveLength(3);
    expect(stderr).toMatch(/^.+\n.* not exist.*\n$/);
  });

  it("a request that the app refuses: its detail, exit code 1", async () => {
    const { code, stderr } = await here(["backup", folder, "--container", "No_Good"], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^"container": .*\b63\b.*\n$/);
  });

  it("a second directory into the same place: refused, with the options that lead out", async () => {
    const one = await makeTree(path.join(folder, "one"), { a: "1" });
    const two = await makeTree(path.join(folder, "two"), { a: "2" });
    const into = ["--container", "shared", "--quiet"];
    expect((await here(["backup", one, ...into], { env })).code).toBe(0);
    const { code, stdout, stderr } = await here(["backup", two, ...into], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    for (const name of ["shared", one, "--prefix", "--allow-other-root"]) expect(stderr).toContain(name);
    expect(stderr).not.toContain("allowOtherRoot");
    for (const out of [["--prefix", "two"], ["--allow-other-root"]])
      expect((await here(["backup", two, ...into, ...out], { env })).code).toBe(0);
  });

  it("with the directory alone it does not mix either", async () => {
    const other = await makeTree(path.join(folder, "other"), { a: "1" });
    const { code, stderr } = await here(["backup", other], { env });
    expect(code).toBe(1);
    for (const name of ["backups ", path.join(folder, "plain"), "--allow-other-root"])
      expect(stderr).toContain(name);
  });

  it("--json: a line an object, from started to end", async () => {
    const root = await makeTree(path.join(folder, "json"), manyFiles(120));
    const args = ["backup", root, "--json", "--container", "json", "--exclude", "*1.txt", "--prefix", "p"];
    const { code, stdout, stderr } = await here(args, { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = objects(stdout);
    expect(lines[0]).toEqual({ type: "started", run: expect.stringMatching(RUN), kind: "backup", root });
    for (const line of lines.slice(1, -1)) {
      expect(line).toMatchObject({
        type: "progress",
        listed: { files: expect.any(Number), bytes: expect.any(Number), complete: expect.any(Boolean) },
        settled: { files: expect.any(Number), bytes: expect.any(Number) },
      });
    }
    const end = lines.at(-1);
    expect(end).toMatchObject({
      type: "end",
      exitCode: 0,
      run: lines[0]?.["run"],
      status: "completed",
      root,
      destination: { container: "json", prefix: "p" },
      counts: { copied: 108, failed: 0 },
    });
    const { output, counts } = end as { output: number; counts: { bytes: number } };
    expect(output).toBe(counts.bytes);
  });

  it("--quiet: nothing when all is well", async () => {
    const root = await makeTree(path.join(folder, "quiet"), { a: "1" });
    const ended = await here(["backup", root, "--quiet", "--container", "quiet"], { env });
    expect(ended).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

describe("runs, show", () => {
  it("newest first, in columns and as objects", async () => {
    const root = await makeTree(path.join(folder, "twice"), { a: "1" });
    for (let time = 0; time < 2; time++)
      await here(["backup", root, "--container", "twice", "--quiet"], { env });
    const { stdout } = await here(["runs", "--root", root, "--json"], { env });
    const [second, first, ...none] = objects(stdout);
    expect(none).toEqual([]);
    expect(String(first?.["started"]) < String(second?.["started"])).toBe(true);
    const words = await here(["runs", "--limit", "1"], { env });
    expect(words.stdout.split("\n")[0]).toMatch(
      /^Run +Started +Status +Files +Failed +Bytes +Took +Directory$/,
    );
    expect(words.stdout).toContain(`${String(second?.["run"])}  `);
    const shown = await here(["show", String(first?.["run"])], { env });
    expect(shown.stdout).toMatch(/Status {3}completed/);
    const short = await here(["show", String(first?.["run"]).slice(0, 8), "--json"], { env });
    expect(objects(short.stdout)).toMatchObject([{ run: first?.["run"] }]);
  });

  it.each([
    [["show", "nope"], /no run "nope"/],
    [["show", "abc"], /"abc".* 4 /],
    [["cancel", "latest"], /no running backup/],
    [["show", "0123", "--root", "/srv"], /--root, --container and --prefix /],
    [["files", "0123", "--path", "a/../b"], /"path": .*"\.\."/],
    [["show", "00000000"], /no run "00000000"/],
    [["runs", "--since", "yesterday"], /--since .*"yesterday"/],
    [["runs", "--limit", "0"], /--limit .*\b0\b/],
  ])("%j: says what is wrong, exit code 1", async (args, message) => {
    const { code, stderr } = await here(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

/** What other servers answer, whatever they are asked. */
const OTHERS: Record<string, [status: number, body: string]> = {
  keyed: [401, ""],
  page: [200, "<h1>Sign in</h1>"],
  list: [200, "[]"],
  taken: [202, "{"],
  accepted: [202, "{}"],
  storage: [400, "<Error>InvalidQueryParameterValue</Error>"],
  down: [502, "<h1>Bad gateway</h1>"],
};

describe("which app", () => {
  let other: Server;
  let seen: (string | undefined)[] = [];
  beforeAll(async () => {
    other = createServer((request, response) => {
      seen.push(request.headers["x-functions-key"]?.toString());
      const [, folder = ""] = request.url?.split("/") ?? [];
      const [status, body] = OTHERS[folder] ?? [404, "<h1>Not here</h1>"];
      response.writeHead(status, { "Content-Type": "text/html" }).end(body);
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    other.close();
  });
  const port = () => String((other.address() as AddressInfo).port);

  it("something else has the local host's port", async () => {
    const { code, stderr } = await here(["backup", folder], { env: { FUNCTIONS_PORT: port() } });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Port ${port()} .*another program`));
  });

  it("--url leads to something else", async () => {
    const { code, stderr } = await here(["backup", folder, "--url", `http://127.0.0.1:${port()}`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/not a site-backup app.* \(HTTP 404\)\.$/m);
  });

  it.each([
    [["runs"], "page", /page is not a site-backup app\b/],
    [["runs"], "list", /list is not a site-backup app\b/],
    [["backup", "/srv"], "taken", /taken is not a site-backup app\b/],
    [["backup", "/srv"], "accepted", /accepted is not a site-backup app\b/],
    [["open"], "page", /page is not a site-backup app\b/],
    [["runs"], "storage", /storage is not a site-backup app\b.* HTTP 400\b/],
    [["runs"], "down", /^The app at \S+down .*\bHTTP 502\b/],
  ])("%j of a server that is something else (%s): one line that says so", async (args, at, message) => {
    const { code, stdout, stderr } = await here([...args, "--url", `http://127.0.0.1:${port()}/${at}`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });

  it("the key goes in a header and is never printed", async () => {
    seen = [];
    const url = `http://127.0.0.1:${port()}/keyed`;
    const without = await here(["runs", "--url", url]);
    expect(without.stderr).toMatch(/HTTP 401\b.*--key-file.* SITE_BACKUP_KEY/);
    const wrong = await here(["runs", "--url", url], { env: { SITE_BACKUP_KEY: "s3cret" } });
    expect(wrong.stderr).toMatch(/key .*HTTP 401\b/);
    expect(wrong.stderr).not.toContain("SITE_BACKUP_KEY");
    expect(seen).toEqual([undefined, "s3cret"]);
    const help = await here(["backup", "--help"], { env: { SITE_BACKUP_KEY: "s3cret" } });
    for (const { stdout, stderr } of [wrong, help]) expect(stdout + stderr).not.toContain("s3cret");
  });

  it("nothing answers there", async () => {
    const { code, stderr } = await here(["runs", "--json", "--url", "http://127.0.0.1:9"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/127\.0\.0\.1:9 .*bad port/);
  });
});

describe("--help", () => {
  it("of backup has an example and the exit codes", async () => {
    const { code, stdout } = await here(["backup", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Examples:\n  site-backup backup ./wwwroot\n");
    expect(stdout).toMatch(/^ {2}3 +\w/m);
  });
});
