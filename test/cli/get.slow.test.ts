/** `site-backup get` and `cat` with an app that breaks off, sends other content, or names what lies elsewhere. */
import { createHash, randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { TreeEntry } from "../../client/answers.ts";
import { makeFolder } from "../harness/tree.ts";
import { listen } from "../harness/listen.ts";
import { objects, run } from "./command.ts";
import { here } from "./here.ts";

const ID = "1d0e432730114054a8168f3e14bea06b";
const MTIME = 1_700_000_000_123_456;

let folder: string;
let app: Server;
let env: Record<string, string>;
let entries: Partial<TreeEntry>[] = [];
let content: Buffer;
/** Bytes after which the next answer is broken off. */
let breaks: number[] = [];
let asked: { range: string | undefined; ifRange: string | undefined }[] = [];

beforeAll(async () => {
  folder = await makeFolder("cli-get");
  app = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://app");
    if (pathname === `/backups/${ID}/content`) return send(request, response);
    const of = searchParams.get("path");
    response.setHeader("content-type", "application/json");
    if (of === "") return response.end(JSON.stringify({ run: ID, path: "", entries }));
    const entry = {
      name: of,
      kind: "file",
      size: content.length,
      mtime: MTIME,
      mode: 0o640,
      outcome: "copied",
    };
    response.writeHead(400, { "content-type": "application/problem+json" });
    response.end(JSON.stringify({ status: 400, detail: "a file", entry }));
  });
  env = { SITE_BACKUP_URL: await listen(app) };
});
afterAll(() => {
  app.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  content = randomBytes(1_000_000);
  [entries, breaks, asked] = [[], [], []];
});

function send({ headers }: IncomingMessage, response: ServerResponse): void {
  const range = headers.range;
  asked.push({ range, ifRange: headers["if-range"]?.toString() });
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  response.writeHead(range === undefined ? 200 : 206, {
    etag: etag(),
    "content-length": content.length - from,
    ...(range === undefined
      ? {}
      : { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  const after = breaks.shift();
  if (after === undefined) response.end(content.subarray(from));
  else response.write(content.subarray(from, from + after), () => response.destroy());
}

let etag = () => `"${createHash("md5").update(content).digest("base64")}"`;

it("continues where an answer breaks off, with each byte once", async () => {
  breaks = [300_000];
  const { code, stdout } = await here(["get", ID, "d/a.bin", "--to", `${folder}/`], { env });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^ {2}Files {4}1 written$/m) });
  expect(readFileSync(path.join(folder, "a.bin")).equals(content)).toBe(true);
  expect(lstatSync(path.join(folder, "a.bin")).mode & 0o777).toBe(0o640);
  expect(asked).toEqual([
    { range: undefined, ifRange: undefined },
    { range: expect.stringMatching(/^bytes=[1-9]\d*-$/), ifRange: etag() },
  ]);
  const again = await run(["get", ID, "d/a.bin"], { env, cwd: folder });
  expect(again.stdout).toMatch(/^ {2}Files {4}1 there already$/m);
  expect(asked).toHaveLength(2);
});

it("a directory, two of whose downloads break off: each file is whole, with each byte once", async () => {
  const directory = { name: "d", kind: "directory" as const, size: 0, mtime: MTIME, mode: 0o755 };
  entries = [directory, file("d/b"), file("d/c")];
  breaks = [300_000, 500_000];
  const to = path.join(folder, "whole");
  const { code, stdout } = await here(["get", ID, "/", "--to", to, "--json"], { env });
  expect({ code, got: objects(stdout).map(({ outcome }) => outcome) }).toEqual({
    code: 0,
    got: ["written", "written", "written"],
  });
  for (const name of ["d/b", "d/c"]) expect(readFileSync(path.join(to, name)).equals(content)).toBe(true);
  const ranges = asked.map(({ range }) => range);
  expect(ranges).toEqual([
    undefined,
    undefined,
    ...Array<unknown>(2).fill(expect.stringMatching(/^bytes=[1-9]/)),
  ]);
});

it("prints what breaks off as if it had not", async () => {
  content = Buffer.from("hello ".repeat(50_000));
  breaks = [100_000];
  for (const args of [
    ["cat", ID, "a"],
    ["get", ID, "a", "--to", "-"],
  ])
    expect(await here(args, { env })).toEqual({ code: 0, stdout: content.toString(), stderr: "" });
  const lines = objects((await here(["cat", ID, "a", "--json"], { env })).stdout);
  expect(
    Buffer.concat(lines.map(({ base64 }) => Buffer.from(String(base64), "base64"))).equals(content),
  ).toBe(true);
});

it("content that is not what was recorded: no file", async () => {
  const to = path.join(folder, "corrupt");
  const true_ = etag;
  etag = () => '"XUFAKrxLKna5cZ2REBfFkg=="';
  const { code, stderr } = await here(["get", ID, "a", "--to", path.join(to, "a"), "--quiet"], { env });
  etag = true_;
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^a: .*damaged\n$/) });
  expect(readdirSync(to)).toEqual([]);
});

const file = (name: string): Partial<TreeEntry> => ({
  name,
  kind: "file",
  size: content.length,
  mtime: MTIME,
  mode: 0o644,
  outcome: "copied",
});

it("names that lead elsewhere, and links in the way: nothing outside is written, the rest is", async () => {
  content = Buffer.from("new");
  const outside = path.join(folder, "outside");
  const to = path.join(folder, "hostile");
  for (const directory of [outside, to]) mkdirSync(directory);
  writeFileSync(path.join(outside, "kept"), "old");
  symlinkSync(outside, path.join(to, "in"));
  symlinkSync(path.join(outside, "kept"), path.join(to, "kept"));
  entries = [
    ...["../evil", "a/../../evil", "\\u{2e}\\u{2e}/evil", `${outside}/evil`, "in/evil", "kept"].map(file),
    { name: "out", kind: "link", size: 0, target: outside, outcome: "copied" },
    file("out/evil"),
    file("caf\\xe9"),
    file("\\u{1b}[31mred"),
    file("a\\u{d800}"),
    { ...file("lost"), kind: "link", target: "\\u{d800}" },
    { name: "gone", kind: "file", size: 0, outcome: "failed", reason: "it was locked" },
  ];
  const { code, stdout, stderr } = await here(["get", ID, "/", "--to", to], { env });
  expect(code).toBe(3);
  expect(stdout).toMatch(/^ {2}Files {4}3 written, 9 failed$/m);
  expect(stdout).toMatch(/^ {2}Note {5}1 name /m);
  expect(stderr).toMatch(/^kept: it exists already; --overwrite replaces it$/m);
  expect(stderr).toMatch(/^\.\.\/evil: .*"\.\."/m);
  const listed = await here(["ls", ID, "--json"], { env });
  expect({ code: listed.code, lines: objects(listed.stdout).length }).toEqual({
    code: 0,
    lines: entries.length,
  });
  const names = readdirSync(to, { encoding: "buffer" }).map((name) => name.toString("latin1"));
  expect(names.sort((a, b) => (a < b ? -1 : 1))).toEqual(["\u001b[31mred", "caf\u00e9", "in", "kept", "out"]);
  const replaced = await here(["get", ID, "/", "--to", to, "--overwrite", "--json"], { env });
  expect(objects(replaced.stdout)).toContainEqual({
    type: "got",
    path: "kept",
    kind: "file",
    size: 3,
    outcome: "written",
  });
  expect(lstatSync(path.join(to, "kept")).isFile()).toBe(true);
  expect(readdirSync(outside)).toEqual(["kept"]);
  expect(readFileSync(path.join(outside, "kept"), "utf8")).toBe("old");
  expect(readdirSync(folder)).not.toContain("evil");
});
