import { mkdir, readFile, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { unsafePath } from "../../src/model/safe-path.ts";
import { PinnedDirectory } from "../../src/files/pinned-directory.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { forgeRun } from "./forge.ts";
import { snapshotOf, temporary, write } from "./tree.ts";

const { azurite, drive } = startDrive();

/** A directory to restore into that lies two below one which shows any escape. */
async function arena(): Promise<{ outer: string; to: string }> {
  const outer = temporary();
  const to = path.join(outer, "inner/to");
  await mkdir(to, { recursive: true });
  return { outer, to };
}

describe("names in a ledger", () => {
  const hostile = [
    "../x",
    "../../x",
    "/etc/x",
    "a/../../b",
    "a//b",
    "./a",
    "a/.",
    "..",
    ".",
    "/",
    "a\0b",
    "a/..",
    "//host/share",
  ];

  test.each(hostile)("%j does not lead out of the directory, and costs no other file", async (name) => {
    const { outer, to } = await arena();
    const run = await forgeRun(azurite.service, [
      { path: name, content: "escaped", blob: "blob" },
      { path: "fine", content: "fine" },
    ]);
    const { run: id, tally } = await drive.restore({ run, to });
    expect(tally.counts).toMatchObject({ copied: 1, failed: 1 });
    expect((await drive.outcomes(id)).get(name)?.reason).toMatch(/its name/);
    expect([...(await snapshotOf(outer)).keys()]).toEqual(["inner/to/fine"]);
    expect((await drive.verify({ run })).tally.counts).toMatchObject({ unchanged: 1, failed: 1 });
  });

  test("on POSIX a drive letter and a backslash are parts of a name", async () => {
    const { outer, to } = await arena();
    const run = await forgeRun(azurite.service, [
      { path: "C:\\x\\..\\..\\y", content: "content", blob: "C:/x/%2E%2E/y" },
    ]);
    await drive.restore({ run, to });
    expect([...(await snapshotOf(outer)).keys()].filter((name) => !name.startsWith("inner/to"))).toEqual([]);
  });

  test.each(["C:x", "C:\\x", "a\\..\\..\\b", "a:stream", "con", "nul.txt", "LPT1", "dot.", "space ", "a?b"])(
    "Windows: %j is refused",
    (name) => {
      expect(unsafePath(name, "win32")).toBeDefined();
      expect(unsafePath(name, "linux")).toBeUndefined();
    },
  );

  test("names that are too long fail by themselves", async () => {
    const { to } = await arena();
    const run = await forgeRun(azurite.service, [
      { path: "n".repeat(300), content: "long" },
      { path: `${"d".repeat(300)}/x`, content: "long" },
      { path: "fine", content: "fine" },
    ]);
    const { run: id, tally } = await drive.restore({ run, to });
    expect(tally.counts).toMatchObject({ copied: 1, failed: 2 });
    expect((await drive.outcomes(id)).get("n".repeat(300))?.reason).toContain(
      "longer than the file system allows",
    );
  });

  test("lines that are no outcomes are named, and cost no other", async () => {
    const { to } = await arena();
    const run = await forgeRun(azurite.service, [
      "null\n",
      '{"path":"a","outcome":"from the future"}\n',
      '{"path":"b","outcome":"copied","kind":"file","size":-1}\n',
      '{"path":["c"],"outcome":"copied"}\n',
      { path: "fine", content: "fine" },
      '{"path":"torn","outco',
    ]);
    const { run: id, tally } = await drive.restore({ run, to });
    expect(tally.counts).toMatchObject({ copied: 1, failed: 5 });
    expect(tally.failures.join("\n")).toMatch(/outcomes\/0-0000\.jsonl: .*\bline 1 is not\b/);
    expect(tally.failures.join("\n")).toMatch(/line 6 is torn/);
    expect(await readdir(to)).toEqual(["fine"]);
    expect(id).not.toBe(run);
  });
});

describe("links in the directory", () => {
  test("a link on the way fails its files, and is not followed", async () => {
    const { outer, to } = await arena();
    await mkdir(path.join(outer, "target"));
    await symlink("../../target", path.join(to, "a"));
    await mkdir(path.join(to, "b"));
    await symlink("../../../target", path.join(to, "b/c"));
    const run = await forgeRun(azurite.service, [
      { path: "a/x", content: "x" },
      { path: "b/c/d/e", content: "x" },
      { path: "b/fine", content: "x" },
    ]);
    for (const overwrite of ["never", "changed", "always"]) {
      const { run: id, tally } = await drive.restore({ run, to, overwrite });
      expect(tally.counts.failed).toBe(2);
      expect((await drive.outcomes(id)).get("a/x")?.reason).toContain('"a" is a link');
      expect((await drive.outcomes(id)).get("b/c/d/e")?.reason).toContain('"b/c" is a link');
    }
    expect(await readdir(path.join(outer, "target"))).toEqual([]);
  });

  test("a link in a file's place is replaced, its target left alone", async () => {
    const { outer, to } = await arena();
    await writeFile(path.join(outer, "precious"), "precious");
    await symlink("../../precious", path.join(to, "a"));
    const run = await forgeRun(azurite.service, [{ path: "a", content: "restored" }]);
    await drive.restore({ run, to });
    expect(await readFile(path.join(outer, "precious"), "utf8")).toBe("precious");
    expect((await snapshotOf(to)).get("a")).toMatch(/^file/);
  });

  test("a link that the run has, and files below its name, do not lead out", async () => {
    const { outer, to } = await arena();
    await mkdir(path.join(outer, "target"));
    const run = await forgeRun(azurite.service, [
      { path: "a", kind: "link", content: "../../target" },
      { path: "a/x", content: "x", blob: "a/x" },
    ]);
    await drive.restore({ run, to });
    await drive.restore({ run, to });
    expect(await readdir(path.join(outer, "target"))).toEqual([]);
  });

  test.runIf(process.platform === "linux")(
    "a directory that is swapped for a link while it is open",
    async () => {
      const { outer, to } = await arena();
      await mkdir(path.join(to, "a"));
      await mkdir(path.join(outer, "target"));
      const directory = await PinnedDirectory.open(to, "a");
      await rename(path.join(to, "a"), path.join(to, "moved"));
      await symlink("../../target", path.join(to, "a"));
      await writeFile(directory.path("x"), "x");
      await directory.close();
      expect(await readdir(path.join(outer, "target"))).toEqual([]);
      expect(await readdir(path.join(to, "moved"))).toEqual(["x"]);
    },
  );
});

describe("where a restore may go", () => {
  test("nothing outside the allowed roots, by real path, in the plan and in each activity", async () => {
    const { outer, to } = await arena();
    const run = await forgeRun(azurite.service, [{ path: "a", content: "a" }]);
    const confined = new Drive(azurite.service, { restoreRoots: [to] });
    expect((await confined.restore({ run, to: path.join(to, "below") })).tally.counts.copied).toBe(1);
    expect((await confined.restore({ run, to: outer })).tally.stopped).toContain("RESTORE_ROOTS");
    await symlink(outer, path.join(to, "link"));
    expect((await confined.restore({ run, to: path.join(to, "link/x") })).tally.stopped).toContain(
      "RESTORE_ROOTS",
    );
    const none = new Drive(azurite.service, { restoreRoots: [] });
    expect((await none.restore({ run, to })).tally.stopped).toContain("RESTORE_ROOTS");
    await write(outer, {});
  });

  test("no directory is made, or restored into, outside by what leads through a link and up again", async () => {
    const { outer, to } = await arena();
    await mkdir(path.join(outer, "target/deep"), { recursive: true });
    await symlink(path.join(outer, "target/deep"), path.join(to, "link"));
    const source = await forgeRun(azurite.service, [{ path: "a", content: "a" }]);
    const confined = new Drive(azurite.service, { restoreRoots: [to] });
    // Above the link, not above what it leads to.
    await confined.restore({ run: source, to: `${to}/link/../x` });
    expect(await readdir(path.join(to, "x"))).toEqual(["a"]);
    const { tally } = await confined.restore({ run: source, to: `${to}/link/x` });
    expect(tally.stopped).toMatch(/RESTORE_ROOTS/);
    expect(await readdir(path.join(outer, "target"), { recursive: true })).toEqual(["deep"]);
  });

  test.each([
    ["deleteExtra", 0],
    ["restoreFiles", 0],
    ["restoreLargeFile", 0],
    // Begun, and with a temporary file.
    ["restoreLargeFile", 1],
    ["restoreDirectories", 0],
  ])(
    "%s, after %i calls, says so itself when the setting has changed since the plan was made",
    async (name, calls) => {
      const { outer, to } = await arena();
      await write(to, { extra: "extra" });
      // Of one kind, so that nothing else is at work when the setting changes.
      const file = name === "restoreFiles" ? "d/s" : "large";
      const source = await forgeRun(azurite.service, [{ path: file, content: "content" }]);
      for (const roots of [[], [path.join(to, "d")]]) {
        await rm(path.join(to, file), { recursive: true, force: true });
        // A directory in the file's place, for deleteExtra.
        await write(to, { [`${file}/in the way`]: "extra" });
        const moved = new Drive(azurite.service, {
          largeFile: file === "large" ? 1 : 100,
          listMs: 0,
          restoreRoots: [to],
        });
        let seen = 0;
        let names: string[] | undefined;
        moved.before = async (activity) => {
          if (activity !== name || seen++ !== calls) return;
          names = await readdir(to, { recursive: true });
          moved.settings.restoreRoots = roots;
        };
        const { tally } = await moved.restore({ run: source, to, delete: true, overwrite: "always" });
        expect(tally.stopped).toMatch(/RESTORE_ROOTS/);
        expect(await readdir(to, { recursive: true })).toEqual(names);
      }
      expect(await readdir(outer)).toEqual(["inner"]);
    },
  );
});
