/** `site-backup restore` and `verify` against a local host that is up. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { besidesProgress, objects, run } from "./command.ts";
import { here } from "./here.ts";

let host: LocalHostProcess;
let folder: string;
let root: string;
let env: Record<string, string>;
/** The id of a backup of two files, made first. */
let first: string;
beforeAll(async () => {
  folder = await makeFolder("cli-restore");
  host = await startLocalHost({ entry: "build", env: { BACKUP_REQUESTS_IN_FLIGHT: "2" } });
  env = { FUNCTIONS_PORT: new URL(host.url).port };
  root = await makeTree(path.join(folder, "site"), { "a.txt": "hello", "b/c.txt": "there" });
  first = await backUp();
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function backUp(...args: string[]): Promise<string> {
  const { stdout } = await here(["backup", root, "--json", ...args], { env });
  return String(objects(stdout).at(-1)?.["run"]);
}

describe("restore", () => {
  it("a run, to a directory that is not there yet, named from where one stands", async () => {
    const { code, stdout, stderr } = await run(["restore", first, "--to", "out/new"], { env, cwd: folder });
    const to = path.join(folder, "out", "new");
    expect(besidesProgress(stderr)).toMatch(/^.+\n$/);
    for (const name of [first, to]) expect(stderr).toContain(` ${name}`);
    expect(stdout).toMatch(/^ {2}Files {4}2 restored$/m);
    expect(stdout).toContain(`  Into     ${to}\n  Backup   ${first}\n`);
    expect(stdout).toMatch(/^ {2}Output {3}10$/m);
    expect(code).toBe(0);
    expect(readFileSync(path.join(to, "b/c.txt"), "utf8")).toBe("there");
  });

  it("the latest, and what there was at a time, with patterns", async () => {
    const before = new Date().toISOString();
    await writeFile(path.join(root, "a.txt"), "changed");
    await backUp("--incremental");
    const latest = path.join(folder, "latest");
    expect(await here(["restore", "latest", "--to", latest, "--quiet"], { env })).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(readFileSync(path.join(latest, "a.txt"), "utf8")).toBe("changed");
    // A backup in which nothing was backed up is not what one wants back.
    await here(["backup", path.join(folder, "missing"), "--container", "missing", "--quiet"], { env });
    const again = path.join(folder, "again");
    expect((await here(["restore", "latest", "--to", again, "--quiet"], { env })).code).toBe(0);
    expect(readFileSync(path.join(again, "a.txt"), "utf8")).toBe("changed");
    expect((await here(["show", "latest", "--container", "missing"], { env })).stdout).toContain(
      path.join(folder, "missing"),
    );
    const then = path.join(folder, "then");
    const args = ["restore", "--at", before, "--root", root, "--exclude", "b", "--exclude", "*.md"];
    const { code, stdout } = await here([...args, "--to", then, "--json"], { env });
    expect(code).toBe(0);
    expect(objects(stdout).at(-1)).toMatchObject({ kind: "restore", of: first, counts: { copied: 1 } });
    expect(readFileSync(path.join(then, "a.txt"), "utf8")).toBe("hello");
  });

  it("--path: only what is there", async () => {
    const to = path.join(folder, "part");
    const { code, stderr } = await here(["restore", first, "--to", to, "--path", "/b/"], { env });
    expect(besidesProgress(stderr)).toMatch(/^.+\n$/);
    for (const name of ["b ", first, to]) expect(stderr).toContain(` ${name}`);
    expect({ code, names: readdirSync(to, { recursive: true }) }).toEqual({
      code: 0,
      names: ["b", "b/c.txt"],
    });
  });

  it("--dry-run writes nothing, and says what it would; --delete and --overwrite do what they say", async () => {
    const to = await makeTree(path.join(folder, "used"), { "a.txt": "mine", extra: "x" });
    const trial = await here(["restore", first, "--to", to, "--delete", "--dry-run"], { env });
    expect(trial.code).toBe(0);
    expect(trial.stdout).toMatch(/^2 files .*\(10 B\)/m);
    expect(trial.stdout).toMatch(/^1 .*deleted:\n {2}extra$/m);
    expect([existsSync(path.join(to, "extra")), existsSync(path.join(to, "b"))]).toEqual([true, false]);
    const kept = await here(["restore", first, "--to", to, "--overwrite", "never"], { env });
    expect(kept.stdout).toContain("1 restored, 1 skipped");
    expect(readFileSync(path.join(to, "a.txt"), "utf8")).toBe("mine");
    const same = await here(["restore", first, "--to", to, "--delete"], { env });
    expect(same.stdout).toMatch(/^ {2}Deleted {2}1$/m);
    expect(existsSync(path.join(to, "extra"))).toBe(false);
    expect(readFileSync(path.join(to, "a.txt"), "utf8")).toBe("hello");
  });

  it("some files could not be restored: exit code 3, and which", async () => {
    const to = await makeTree(path.join(folder, "blocked"), { "a.txt/in the way": "x" });
    const { code, stdout, stderr } = await here(["restore", first, "--to", to], { env });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^1 file .*:\n {2}a\.txt: /m);
    expect(stdout).toContain("1 restored, 1 failed");
  });

  it.each([
    [["restore"], /'--to <dir>'/],
    [["restore", "--to", "x"], /"latest".* --at\b/],
    [["restore", "latest", "--at", "2026-11-23", "--to", "x"], /"latest".* --at\b/],
    [["restore", "0123", "--to", "x"], /no run 0123\b/],
    [["restore", "0123", "--to", "x", "--prefix", "p"], /--root, --container and --prefix /],
    [["restore", "--at", "2000-01-01T12:00Z", "--to", "x"], /no restorable backup .*2000-01-01/],
  ])("%j: says what is wrong, exit code 1", async (args, message) => {
    const { code, stderr } = await here(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe("ls, cat", () => {
  it("what a backup holds", async () => {
    const listed = await here(["ls", first, "b", "--json"], { env });
    expect(objects(listed.stdout)).toMatchObject([{ type: "entry", kind: "file", size: 5 }]);
    expect((await here(["cat", first, "b/c.txt"], { env })).stdout).toBe("there");
  });
});

describe("verify", () => {
  it("says how many are whole; reads back what it is told to", async () => {
    const { code, stdout, stderr } = await here(["verify", first, "--read-data"], { env });
    expect(besidesProgress(stderr)).toMatch(new RegExp(`^.* ${first}\\b.*\\n$`));
    expect(stdout).toMatch(/^ {2}Files {4}2 verified$/m);
    expect(stdout).toMatch(/^ {2}Output {3}2$/m);
    expect(code).toBe(0);
    const share = await here(["verify", "latest", "--root", root, "--read-data", "5%", "--json"], { env });
    expect(objects(share.stdout).at(-1)).toMatchObject({ type: "end", kind: "verify", exitCode: 0 });
    const wrong = await here(["verify", first, "--read-data", "much"], { env });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/--read-data .*\b5%/) });
  });

  it("a blob is gone: exit code 1, and which file", async () => {
    const id = await backUp("--container", "damaged");
    const service = BlobServiceClient.fromConnectionString(host.connectionString);
    await service.getContainerClient("damaged").getBlobClient("b/c.txt").delete();
    const { code, stdout, stderr } = await here(["verify", id], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^1 file .*:\n {2}b\/c\.txt: /m);
    expect(stdout).toContain("1 verified, 1 failed");
    await rm(path.join(folder, "out"), { recursive: true, force: true });
  });
});
