/** Patterns that match nothing, from the command line to the record. */
import path from "node:path";
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { makeFolder, makeTree, readTree } from "../harness/tree.ts";
import { objects } from "./command.ts";
import { here } from "./here.ts";

let host: LocalHostProcess;
let folder: string;
let root: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await makeFolder("patterns");
  // So few names a listing that the tree is listed in parts, each of which meets other patterns.
  host = await startLocalHost({ entry: "build", env: { BACKUP_LIST_FILES: "3" } });
  env = { FUNCTIONS_PORT: new URL(host.url).port };
  const names = [
    "a/1.txt",
    "b/c/2.txt",
    "b/d/3.log",
    "e/f/g/h/4.jpg",
    "e/5.txt",
    "i/j/6.txt",
    "k.txt",
    "l/m.tmp",
  ];
  root = await makeTree(path.join(folder, "site"), Object.fromEntries(names.map((name) => [name, name])));
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The last line of --json. */
async function end(args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await here([...args, "--json"], { env });
  return objects(stdout).at(-1)!;
}

function options(name: "include" | "exclude", patterns: string[]): string[] {
  return patterns.flatMap((pattern) => [`--${name}`, pattern]);
}

describe("restore", () => {
  let id: string;
  beforeAll(async () => {
    id = (await end(["backup", root, "--container", "restored"]))["run"] as string;
  });

  it("one that matched nothing in the run is told of; one that keeps what is extra has matched", async () => {
    const to = await makeTree(path.join(folder, "to"), { "kept/x": "x", "e/extra": "extra", extra: "extra" });
    const patterns = [
      ...options("include", ["e", "k.txt", "site/b"]),
      ...options("exclude", ["extra", "*.none"]),
    ];
    const args = ["restore", id, "--to", to, "--delete", ...patterns];
    const { code, stdout, stderr } = await here(args, { env });
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("Warning") as unknown,
    });
    const warnings = stderr.split("\n").filter((line) => line.startsWith("Warning"));
    expect(warnings).toEqual([
      expect.stringMatching(/"site\/b" in "include".*"\/b"/),
      expect.stringContaining('"*.none" in "exclude"'),
    ]);
    expect(warnings[0]).toContain(` ${root}`);
    expect(stdout).toContain("3 restored");
    expect([...(await readTree(to)).keys()]).toContain("e/extra");
  });

  it("an include that leaves nothing of the run fails it, though not where it has something to delete", async () => {
    const to = await makeTree(path.join(folder, "other"), { "old.htm": "old" });
    const include = options("include", ["*.htm"]);
    const failed = await here(["restore", id, "--to", to, ...include], { env });
    expect({ code: failed.code, stdout: failed.stdout }).toEqual({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(new RegExp(`patterns .*\\b${id}\\b.*"\\*\\.htm" in "include"`));
    const deleted = await here(["restore", id, "--to", to, "--delete", ...include], { env });
    expect(deleted).toMatchObject({ code: 0, stderr: expect.not.stringContaining("Warning") as unknown });
    expect((await readTree(to)).size).toBe(0);
  });
});

describe("backup", () => {
  it("a pattern that matched in some part is as good as one that matched everywhere", async () => {
    const excluded = options("exclude", ["*.log", "/k.txt", "h/", "/l"]);
    const { status, counts, warnings } = await end(["backup", root, "--container", "fine", ...excluded]);
    expect({ status, warnings }).toEqual({ status: "completed", warnings: undefined });
    expect(counts).toMatchObject({ copied: 4 });
    const included = options("include", ["m.tmp", "/e/f/", "*.txt"]);
    const ended = await end(["backup", root, "--full", "--container", "fine", ...included]);
    expect(ended).toMatchObject({ status: "completed", counts: { copied: 7 } });
    expect(ended).not.toHaveProperty("warnings");
  });

  it("one that matched nothing is told of, and the rest is backed up", async () => {
    const args = [
      "backup",
      root,
      "--container",
      "told",
      ...options("exclude", ["site/b", "*.log", "nothing\u001b"]),
    ];
    const { code, stdout, stderr } = await here(args, { env });
    expect(code).toBe(0);
    const warnings = stderr.split("\n").filter((line) => line.startsWith("Warning: "));
    expect(warnings).toEqual([
      expect.stringMatching(/"site\/b" in "exclude".*"\/b"/),
      expect.stringContaining('"nothing\\u{1b}" in "exclude"'),
    ]);
    expect(stderr).not.toContain("*.log");
    const [id = ""] = /[0-9a-f]{32}/.exec(stdout) ?? [];
    expect((await here(["show", id], { env })).stdout).toMatch(/^ *Warning .*"site\/b"/m);
    const status = await fetch(`${host.url}/backups/${id}`);
    expect(await status.json()).toMatchObject({
      status: "completed",
      warnings: [expect.stringContaining("site/b"), expect.stringContaining("nothing")] as unknown,
    });
  });

  it.each<[what: string, args: string[], said: string]>([
    ["a mistyped one", options("include", ["*.htm"]), '"*.htm" in "include"'],
    ["all of it left out", [...options("include", ["/b"]), ...options("exclude", ["c", "d"])], ""],
  ])("an include that leaves nothing fails the run: %s", async (_what, args, said) => {
    const { code, stdout, stderr } = await here(["backup", root, "--container", "none", ...args], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(root);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain("Warning");
  });

  it('a "!" is refused, with what to do instead', async () => {
    const args = ["backup", root, "--container", "refused", "--exclude", "!b.log"];
    const { code, stderr } = await here(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/"!b\.log": .*"!".*"\\!"/);
  });
});
