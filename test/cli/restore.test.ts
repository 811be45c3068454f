/** `site-backup restore` and `verify` against a local host that is up. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { chmod, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { directory, link, makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { directoriesOf, snapshotOf } from "../restore/tree.ts";
import { besidesProgress, objects, run, start } from "./command.ts";

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
  const { stdout } = await run(["backup", root, "--json", ...args], { env });
  return String(objects(stdout).at(-1)?.["run"]);
}

describe("restore", () => {
  it("a run, to a directory that is not there yet, named from where one stands", async () => {
    const { code, stdout, stderr } = await run(["restore", first, "--to", "out/new"], { env, cwd: folder });
    const to = path.join(folder, "out", "new");
    expect(besidesProgress(stderr)).toBe(`Restoring ${first} into ${to}\n`);
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
    expect(await run(["restore", "latest", "--to", latest, "--quiet"], { env })).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(readFileSync(path.join(latest, "a.txt"), "utf8")).toBe("changed");
    // A backup in which nothing was backed up is not what one wants back.
    await run(["backup", path.join(folder, "missing"), "--container", "missing", "--quiet"], { env });
    const again = path.join(folder, "again");
    expect((await run(["restore", "latest", "--to", again, "--quiet"], { env })).code).toBe(0);
    expect(readFileSync(path.join(again, "a.txt"), "utf8")).toBe("changed");
    expect((await run(["show", "latest", "--container", "missing"], { env })).stdout).toContain(
      "missing does not exist",
    );
    const then = path.join(folder, "then");
    const args = ["restore", "--at", before, "--root", root, "--exclude", "b", "--exclude", "*.md"];
    const { code, stdout } = await run([...args, "--to", then, "--json"], { env });
    expect(code).toBe(0);
    expect(objects(stdout).at(-1)).toMatchObject({ kind: "restore", of: first, counts: { copied: 1 } });
    expect(readFileSync(path.join(then, "a.txt"), "utf8")).toBe("hello");
  });

  it("--path: only what is there", async () => {
    const to = path.join(folder, "part");
    const { code, stderr } = await run(["restore", first, "--to", to, "--path", "/b/"], { env });
    expect(besidesProgress(stderr)).toBe(`Restoring b of ${first} into ${to}\n`);
    expect({ code, names: readdirSync(to, { recursive: true }) }).toEqual({
      code: 0,
      names: ["b", "b/c.txt"],
    });
  });

  it("--dry-run writes nothing, and says what it would; --delete and --overwrite do what they say", async () => {
    const to = await makeTree(path.join(folder, "used"), { "a.txt": "mine", extra: "x" });
    const trial = await run(["restore", first, "--to", to, "--delete", "--dry-run"], { env });
    expect(trial.code).toBe(0);
    expect(trial.stdout).toMatch(/^2 files would be restored \(10 B\)\. Nothing was written\.$/m);
    expect(trial.stdout).toMatch(/^1 would be deleted:\n {2}extra$/m);
    expect([existsSync(path.join(to, "extra")), existsSync(path.join(to, "b"))]).toEqual([true, false]);
    const kept = await run(["restore", first, "--to", to, "--overwrite", "never"], { env });
    expect(kept.stdout).toContain("1 restored, 1 skipped");
    expect(readFileSync(path.join(to, "a.txt"), "utf8")).toBe("mine");
    const same = await run(["restore", first, "--to", to, "--delete"], { env });
    expect(same.stdout).toMatch(/^ {2}Deleted {2}1$/m);
    expect(existsSync(path.join(to, "extra"))).toBe(false);
    expect(readFileSync(path.join(to, "a.txt"), "utf8")).toBe("hello");
  });

  it("some files could not be restored: exit code 3, and which", async () => {
    const to = await makeTree(path.join(folder, "blocked"), { "a.txt/in the way": "x" });
    const { code, stdout, stderr } = await run(["restore", first, "--to", to], { env });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^1 file could not be restored:\n {2}a\.txt: /m);
    expect(stdout).toContain("1 restored, 1 failed");
  });

  it.each([
    [["restore"], /required option '--to <dir>'/],
    [
      ["restore", "--to", "x"],
      /Say what to restore: either a run \("latest" for the newest\) or a time with --at\./,
    ],
    [["restore", "latest", "--at", "2026-11-23", "--to", "x"], /Say what to restore/],
    [["restore", "0123", "--to", "x"], /There is no run 0123/],
    [["restore", "0123", "--to", "x", "--prefix", "p"], /narrow "latest" or a time; leave them out/],
    [
      ["restore", "--at", "2000-01-01T12:00Z", "--to", "x"],
      /There is no restorable backup that began at or before 2000-01-01/,
    ],
  ])("%j: says what is wrong, exit code 1", async (args, message) => {
    const { code, stderr } = await run(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it("Ctrl-C: exit code 130; it goes on, and how to cancel it is right", async () => {
    const many = await makeTree(path.join(folder, "many"), manyFiles(1500));
    await run(["backup", many, "--container", "many", "--quiet"], { env });
    const to = path.join(folder, "many-restored");
    const restore = start(["restore", "latest", "--root", many, "--to", to], { env });
    await restore.until(/Restoring/);
    restore.child.kill("SIGINT");
    const { code, stderr } = await restore.ended;
    expect(code).toBe(130);
    const [, id = ""] = /To cancel it: site-backup cancel (\w+)$/m.exec(stderr) ?? [];
    expect(stderr).toContain(
      `The restore ${id} goes on where the app runs.\n  To watch it:  site-backup watch ${id}\n`,
    );
    expect((await run(["cancel", id], { env })).stdout).toContain(`Canceled ${id}. What was restored stays.`);
  });
});

describe("ls", () => {
  it("a directory, a file, all below; long, with what is not there; as objects", async () => {
    const tree = await makeTree(path.join(folder, "listed"), {
      "a.txt": "1",
      "d/e/f.txt": "22",
      "d/bad.": "3",
      "d/\u001b[31mred": "4",
      "d/to": link("e/f.txt"),
    });
    await run(["backup", tree, "--container", "listed", "--quiet"], { env });
    const list = async (...args: string[]) =>
      await run(["ls", "latest", "--container", "listed", ...args], { env });
    expect(await list()).toEqual({ code: 0, stdout: "a.txt\nd/\n", stderr: "" });
    expect(await list("/d/")).toEqual({
      code: 0,
      stdout: "e/\nto\n",
      stderr: "2 more names are not in this backup; -l says why.\n",
    });
    expect((await list("d/e/f.txt")).stdout).toBe("d/e/f.txt\n");
    const long = (await list("-lR", "d")).stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, "TIME").split("\n");
    expect(long).toEqual([
      expect.stringMatching(/^failed {36}d\/\\u\{1b\}\[31mred: Blob Storage cannot hold it/),
      expect.stringMatching(/^failed {36}d\/bad\.: Blob Storage cannot hold it/),
      expect.stringMatching(/^d[rwx-]{9} {14}TIME {2}d\/e\/$/),
      expect.stringMatching(/^l[rwx-]{9} {14}TIME {2}d\/to -> e\/f\.txt$/),
      expect.stringMatching(/^-[rwx-]{9} {9}2 B {2}TIME {2}d\/e\/f\.txt$/),
      "",
    ]);
    const lines = objects((await list("d/e", "--json")).stdout);
    expect(lines).toEqual([
      expect.objectContaining({ type: "entry", path: "d/e/f.txt", kind: "file", size: 2 }),
    ]);
    expect(await list("nope")).toMatchObject({ code: 1, stderr: expect.stringContaining('has no "nope"') });
  });
});

describe("get, cat", () => {
  it("what a backup holds, with modes, times and links, as a restore does", async () => {
    const tree = await makeTree(path.join(folder, "got"), {
      "a.txt": "1",
      "d/e/f.sh": "#!/bin/sh",
      "d/empty": directory(),
      "d/to": link("e/f.sh"),
      "d/a\\new": "2",
      zero: "",
    });
    await chmod(path.join(tree, "d/e/f.sh"), 0o750);
    await chmod(path.join(tree, "d/e"), 0o711);
    await chmod(tree, 0o700);
    await run(["backup", tree, "--container", "got", "--quiet"], { env });
    const get = async (...args: string[]) =>
      await run(["get", "latest", "--container", "got", ...args], { env, cwd: folder });
    expect(await get("/", "--to", "copy", "--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
    const copy = path.join(folder, "copy");
    expect(await snapshotOf(copy)).toEqual(await snapshotOf(tree));
    expect(await directoriesOf(copy)).toEqual(await directoriesOf(tree));
    const { mode, mtimeMs } = statSync(tree);
    expect(statSync(copy)).toMatchObject({ mode, mtimeMs: expect.closeTo(mtimeMs, 2) });
    expect((await get("d/e")).stdout).toMatch(/^ {2}Files {4}1 written\n.*\n {2}Into {5}\S+\/e\n$/);
    expect((await run(["cat", "latest", "d/to", "--container", "got"], { env })).stdout).toBe("e/f.sh");
    expect((await get("d", "--to", "-")).stderr).toBe(
      "d is a directory: ls lists it, and get downloads it.\n",
    );
    expect(await get("/")).toMatchObject({
      code: 1,
      stderr: "Say where to write the whole backup: --to DIR.\n",
    });
  });
});

describe("stats", () => {
  it("by directory and destination: what is restorable, and what is stored, without destinations within", async () => {
    const tree = await makeTree(path.join(folder, "measured"), { a: "1", b: "22" });
    const into = ["--container", "measured", "--quiet"];
    await run(["backup", tree, ...into], { env });
    await writeFile(path.join(tree, "b"), "4444");
    await run(["backup", tree, ...into], { env });
    await run(["backup", tree, ...into, "--prefix", "p", "--exclude", "b"], { env });
    const service = BlobServiceClient.fromConnectionString(host.connectionString);
    await service.getContainerClient("measured").getBlockBlobClient("own").upload("other", 5);
    const { stdout } = await run(["stats", "--root", tree, "--json"], { env });
    const of = (prefix: string, more: object) => ({
      type: "stats",
      root: tree,
      destination: { container: "measured", prefix },
      others: { blobs: 0, bytes: 0 },
      ...more,
    });
    expect(objects(stdout)).toEqual([
      of("", {
        runs: 2,
        latest: expect.objectContaining({ files: 2, bytes: 5 }),
        stored: { blobs: 2, bytes: 5 },
        old: { blobs: 1, bytes: 2 },
        others: { blobs: 1, bytes: 5 },
      }),
      of("p", {
        runs: 1,
        latest: expect.objectContaining({ files: 1, bytes: 1 }),
        stored: { blobs: 1, bytes: 1 },
        old: { blobs: 0, bytes: 0 },
      }),
    ]);
    const words = await run(["stats", "--container", "measured", "--prefix", "/"], { env });
    expect(words.stderr).toBe("measured also has 1 blob that no backup wrote, 5 B; not counted here.\n");
    expect(words.stdout).toMatch(/^Directory +Destination +Runs .*\n\S+ +measured +2 .* 2 +5 B +5 B +2 B\n$/);
  });
});

describe("verify", () => {
  it("says how many are whole; reads back what it is told to", async () => {
    const { code, stdout, stderr } = await run(["verify", first, "--read-data"], { env });
    expect(besidesProgress(stderr)).toBe(`Verifying ${first}\n`);
    expect(stdout).toMatch(/^ {2}Files {4}2 verified$/m);
    expect(stdout).toMatch(/^ {2}Output {3}2$/m);
    expect(code).toBe(0);
    const share = await run(["verify", "latest", "--root", root, "--read-data", "5%", "--json"], { env });
    expect(objects(share.stdout).at(-1)).toMatchObject({ type: "end", kind: "verify", exitCode: 0 });
    const wrong = await run(["verify", first, "--read-data", "much"], { env });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("takes a share such as 5%") });
  });

  it("a blob is gone: exit code 1, and which file", async () => {
    const id = await backUp("--container", "damaged");
    const service = BlobServiceClient.fromConnectionString(host.connectionString);
    await service.getContainerClient("damaged").getBlobClient("b/c.txt").delete();
    const { code, stdout, stderr } = await run(["verify", id], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^1 file missing or damaged:\n {2}b\/c\.txt: /m);
    expect(stdout).toContain("1 verified, 1 failed");
    await rm(path.join(folder, "out"), { recursive: true, force: true });
  });
});
