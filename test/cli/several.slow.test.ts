/** What a user does in several commands, against a local host that is up. */
import { rmSync, statSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { directory, link, makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { directoriesOf, snapshotOf } from "../restore/tree.ts";
import { objects, run, start } from "./command.ts";
import { here } from "./here.ts";

let host: LocalHostProcess;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await makeFolder("cli-more");
  host = await startLocalHost({ entry: "build", env: { BACKUP_REQUESTS_IN_FLIGHT: "2" } });
  env = { FUNCTIONS_PORT: new URL(host.url).port };
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("Ctrl-C", () => {
  it("of a backup: exit code 130; the run continues, and how to cancel it is right", async () => {
    const root = await makeTree(path.join(folder, "long"), manyFiles(1500));
    const backup = start(["backup", root, "--container", "long"], { env });
    await backup.until(/Backing up/);
    backup.child.kill("SIGINT");
    const { code, stderr } = await backup.ended;
    expect(code).toBe(130);
    const [, id = ""] = /site-backup cancel (\w+)$/m.exec(stderr) ?? [];
    expect(stderr).toMatch(new RegExp(` ${id} continues`));
    const running = await here(["show", id], { env });
    expect(running.stdout).toMatch(/Status {3}running/);
    const canceled = await here(["cancel", id, "--json"], { env });
    expect(objects(canceled.stdout)).toMatchObject([{ type: "run", run: id, status: "canceled" }]);
    const watched = await here(["watch", id], { env });
    expect(watched).toMatchObject({ code: 1, stderr: expect.stringContaining(`${id} was canceled`) });
  });

  it("of a restore: exit code 130; the run continues, and how to cancel it is right", async () => {
    const many = await makeTree(path.join(folder, "many"), manyFiles(1500));
    await here(["backup", many, "--container", "many", "--quiet"], { env });
    const to = path.join(folder, "many-restored");
    const restore = start(["restore", "latest", "--root", many, "--to", to], { env });
    await restore.until(/Restoring/);
    restore.child.kill("SIGINT");
    const { code, stderr } = await restore.ended;
    expect(code).toBe(130);
    const [, id = ""] = /site-backup cancel (\w+)$/m.exec(stderr) ?? [];
    expect(stderr).toMatch(new RegExp(` ${id} continues`));
    expect(stderr).toContain(` site-backup watch ${id}\n`);
    const canceled = await here(["cancel", id, "--json"], { env });
    expect(objects(canceled.stdout)).toMatchObject([{ run: id, kind: "restore", status: "canceled" }]);
  });
});

describe("runs, show", () => {
  it("a prune by the place that it prunes, and by what it deletes", async () => {
    const root = path.join(folder, "pruned");
    for (const a of ["1", "22"]) {
      await makeTree(root, { a });
      await here(["backup", root, "--container", "pruned", "--quiet"], { env });
    }
    const args = ["prune", "--keep-last", "1", "--container", "pruned", "--dry-run", "--json"];
    const end = objects((await here(args, { env })).stdout).at(-1) as {
      run: string;
      counts: { deleted: number };
    };
    expect(end.counts.deleted).toBeGreaterThan(1);
    const shown = await here(["show", end.run], { env });
    expect(shown.stdout).toMatch(/^pruned\n/);
    const { stdout } = await here(["runs", "--kind", "prune", "--container", "pruned"], { env });
    expect(stdout).toMatch(
      new RegExp(`prune \\(dry run\\) completed +${end.counts.deleted} .* pruned$`, "m"),
    );
    const watched = await here(["watch", end.run], { env });
    expect(watched.code).toBe(0);
  });

  it("the latest, the one before, and that of a time; where they are of several places, it asks for one", async () => {
    const beside = await makeTree(path.join(folder, "beside"), { a: "1" });
    await here(["backup", beside, "--container", "beside", "--quiet"], { env });
    const root = await makeTree(path.join(folder, "named"), { a: "1", "b/c": "2" });
    const ids: string[] = [];
    for (const place of ["--container=named", "--container=named", "--container=named --prefix=p"]) {
      const { stdout } = await here(["backup", root, ...place.split(" "), "--json"], { env });
      ids.push(String(objects(stdout)[0]?.["run"]));
    }
    const [first, second, other] = ids;
    const shown = async (...args: string[]) => {
      const { code, stdout, stderr } = await here(["show", ...args, "--json"], { env });
      return code === 0 ? objects(stdout)[0]?.["run"] : stderr;
    };
    const named = ["--root", "named", "--prefix", "/"];
    const { stdout } = await here(["show", first ?? "", "--json"], { env });
    const began = String(objects(stdout)[0]?.["started"]);
    expect([
      await shown("latest", "--root", root, "--prefix", "p"),
      await run(["show", "latest~0", ...named, "--json"], { env, cwd: folder }).then(
        (ended) => objects(ended.stdout)[0]?.["run"],
      ),
      await shown("latest~1", "--root", root, "--prefix", "/"),
      await shown(began, "--root", root),
    ]).toEqual([other, second, first, first]);
    expect(await shown("latest", "--root", root)).toMatch(
      /:\n {2}--container named --prefix p\n {2}--container named --prefix \/\n$/,
    );
    expect(await shown("latest")).toMatch(/:\n(?: {2}--root \S+\n){2,}$/);
    for (const args of [
      ["ls", "latest"],
      ["cat", "latest", "a"],
      ["get", began, "a", "--to", "-"],
      ["restore", "latest", "--to", path.join(folder, "none")],
      ["verify", "latest~1"],
      ["files", "latest"],
    ]) {
      const refused = {
        code: 1,
        stdout: "",
        stderr: expect.stringMatching(/:\n(?: {2}--root \S+\n){2,}$/) as string,
      };
      expect(await here(args, { env }), args[0]).toEqual(refused);
      expect(await here([...args, "--root", root, "--prefix", "/"], { env }), args[0]).toMatchObject({
        code: 0,
      });
    }
    expect((await here(["cat", (second ?? "").slice(0, 12), "b/c"], { env })).stdout).toBe("2");
    expect(await shown("latest~2", "--container", "named", "--prefix", "/")).toMatch(
      /latest~2.* 2 .*--container named --prefix \/\.\n$/,
    );
    const below = await here(["files", "latest", "--root", root, "--prefix", "p", "--path", "b"], { env });
    expect(below.stdout).toMatch(/^copied +1 B {2}b\/c\n$/);
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
      "odd\\names/to": link("a\nb"),
    });
    await here(["backup", tree, "--container", "listed", "--quiet"], { env });
    const list = async (...args: string[]) =>
      await here(["ls", "latest", "--container", "listed", ...args], { env });
    expect(await list()).toEqual({ code: 0, stdout: "a.txt\nd/\nodd\\\\names/\n", stderr: "" });
    expect(await list("/d/")).toEqual({
      code: 0,
      stdout: "e/\nto\n",
      stderr: expect.stringMatching(/^2 .* -l .*\n$/),
    });
    expect((await list("d/e/f.txt")).stdout).toBe("d/e/f.txt\n");
    const long = (await list("-lR", "d")).stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, "TIME").split("\n");
    expect(long).toEqual([
      expect.stringMatching(/^failed {36}d\/\\u\{1b\}\[31mred: .*control/),
      expect.stringMatching(/^failed {36}d\/bad\.: .*"\."/),
      expect.stringMatching(/^d[rwx-]{9} {14}TIME {2}d\/e\/$/),
      expect.stringMatching(/^l[rwx-]{9} {14}TIME {2}d\/to -> e\/f\.txt$/),
      expect.stringMatching(/^-[rwx-]{9} {9}2 B {2}TIME {2}d\/e\/f\.txt$/),
      "",
    ]);
    const lines = objects((await list("d/e", "--json")).stdout);
    expect(lines).toEqual([
      expect.objectContaining({ type: "entry", path: "d/e/f.txt", kind: "file", size: 2 }),
    ]);
    const odd = { path: "odd\\\\names/to", escaped: true, target: "a\\nb", targetEscaped: true };
    expect(objects((await list("odd\\\\names", "--json")).stdout)).toMatchObject([odd]);
    expect(lines[0]).not.toHaveProperty("escaped");
    expect(await list("nope")).toMatchObject({ code: 1, stderr: expect.stringContaining('no "nope"') });
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
    await here(["backup", tree, "--container", "got", "--quiet"], { env });
    const get = async (...args: string[]) =>
      await run(["get", "latest", "--container", "got", ...args], { env, cwd: folder });
    expect(await get("/", "--to", "copy", "--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
    const copy = path.join(folder, "copy");
    expect(await snapshotOf(copy)).toEqual(await snapshotOf(tree));
    expect(await directoriesOf(copy)).toEqual(await directoriesOf(tree));
    const { mode, mtimeMs } = statSync(tree);
    expect(statSync(copy)).toMatchObject({ mode, mtimeMs: expect.closeTo(mtimeMs, 2) });
    expect((await get("d/e")).stdout).toMatch(/^ {2}Files {4}1 written\n.*\n {2}Into {5}\S+\/e\n$/);
    expect((await here(["cat", "latest", "d/to", "--container", "got"], { env })).stdout).toBe("e/f.sh");
    expect(await get("d", "--to", "-")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^d .*directory.*\n$/),
    });
    expect(await get("/")).toMatchObject({ code: 1, stderr: expect.stringMatching(/^.* --to .*\n$/) });
  });
});

describe("stats", () => {
  it("by directory and destination: what is restorable, and what is stored, without destinations within", async () => {
    const tree = await makeTree(path.join(folder, "measured"), { a: "1", b: "22" });
    const into = ["--container", "measured", "--quiet"];
    await here(["backup", tree, ...into], { env });
    await writeFile(path.join(tree, "b"), "4444");
    await here(["backup", tree, ...into], { env });
    await here(["backup", tree, ...into, "--prefix", "p", "--exclude", "b"], { env });
    const service = BlobServiceClient.fromConnectionString(host.connectionString);
    await service.getContainerClient("measured").getBlockBlobClient("own").upload("other", 5);
    const { stdout } = await here(["stats", "--root", tree, "--json"], { env });
    const of = (prefix: string, more: object) => ({
      type: "stats",
      root: tree,
      destination: { container: "measured", prefix },
      layout: "files",
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
    const words = await here(["stats", "--container", "measured", "--prefix", "/"], { env });
    expect(words.stderr).toMatch(/^measured .*\b1 blob .*\b5 B.*\n$/);
    expect(words.stdout).toMatch(
      /^Directory +Destination +Layout +Runs .*\n\S+ +measured +files +2 .* 2 +5 B +5 B +2 B\n$/,
    );

    const packs = ["--container", "measured-packs"];
    await here(["backup", tree, ...packs, "--layout", "packs", "--quiet"], { env });
    await writeFile(path.join(tree, "b"), "55555");
    await here(["backup", tree, ...packs, "--quiet"], { env });
    const stored = { blobs: 0, bytes: 0 };
    for await (const { properties } of service.getContainerClient("measured-packs").listBlobsFlat()) {
      stored.blobs++;
      stored.bytes += properties.contentLength ?? 0;
    }
    const lines = objects((await here(["stats", ...packs, "--json"], { env })).stdout);
    expect(lines).toEqual([
      {
        ...of("", { runs: 2, latest: expect.objectContaining({ files: 2, bytes: 6 }), stored }),
        destination: { container: "measured-packs", prefix: "" },
        layout: "packs",
        old: { blobs: 0, bytes: 0 },
      },
    ]);
    expect((await here(["stats", ...packs], { env })).stdout).toMatch(
      /\n\S+ +measured-packs +packs +2 .* 2 +6 B +[\d.]+ \S+ +0 B\n$/,
    );
  });
});
