/** Modes, times and what a file system makes of them: what a restore brings back beside contents. */
import { spawnSync } from "node:child_process";
import { chmod, chown, lstat, mkdir, open, readFile, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { asNobody, NOBODY } from "../harness/as-nobody.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { temporary, write } from "./tree.ts";

const { azurite, drive } = startDrive();
const isRoot = process.geteuid?.() === 0;

const modeOf = async (...at: string[]) => ((await lstat(path.join(...at))).mode & 0o7777).toString(8);

async function withModes(modes: Record<string, number>): Promise<{ root: string; run: string }> {
  const root = temporary();
  for (const [name, mode] of Object.entries(modes)) {
    if (name.endsWith("/")) await mkdir(path.join(root, name), { recursive: true });
    else await write(root, { [name]: `content of ${name}` });
    await chmod(path.join(root, name), mode);
  }
  const { run, tally } = await drive.backup({ root });
  expect(tally.failures).toEqual([]);
  return { root, run };
}

describe.runIf(process.platform !== "win32")("modes", () => {
  const SPECIAL = {
    "upload/": 0o1777,
    "upload/a": 0o644,
    "group/": 0o2775,
    "group/b": 0o644,
    program: 0o4755,
  };

  test("setuid, setgid and sticky come back, and stay on what is there", async () => {
    const { root, run } = await withModes({ ...SPECIAL, "empty/": 0o3770 });
    const to = temporary();
    await drive.restore({ run, to });
    // What is made in a directory changes its time, which is then set with its mode.
    await write(root, { "upload/new": "n", "group/new": "n" });
    await drive.restore({ run, to: root });
    for (const tree of [to, root])
      for (const name of ["upload", "group", "empty", "program"])
        expect([name, await modeOf(tree, name)]).toEqual([name, await modeOf(root, name)]);
    expect(await modeOf(to, "program")).toBe("4755");
    expect(await modeOf(root, "group")).toBe("2775");
  });

  test("without RESTORE_SETUID no program gets these bits, nor loses those it has", async () => {
    const { root, run } = await withModes(SPECIAL);
    const careful = new Drive(azurite.service, { restoreSetuid: false });
    const to = temporary();
    await careful.restore({ run, to });
    expect([await modeOf(to, "program"), await modeOf(to, "group")]).toEqual(["755", "2775"]);
    await chmod(path.join(root, "program"), 0o4711);
    await careful.restore({ run, to: root });
    expect(await modeOf(root, "program")).toBe("4755");
  });

  test("a directory that only leads to what is restored has its recorded mode", async () => {
    const { run } = await withModes({
      "private/": 0o700,
      "private/notes/": 0o2750,
      "private/notes/a": 0o644,
    });
    const to = path.join(temporary(), "to");
    await drive.restore({ run, to, include: ["/private/notes/a"] });
    expect([await modeOf(to, "private"), await modeOf(to, "private/notes")]).toEqual(["700", "2750"]);
    const never = path.join(temporary(), "to");
    await drive.restore({ run, to: never, overwrite: "never" });
    expect([await modeOf(never, "private"), await modeOf(never, "private/notes")]).toEqual(["700", "2750"]);
  });

  test.runIf(isRoot)("a user who is not root mends what he may not read", async () => {
    const { run } = await withModes({ file: 0o644, "empty/": 0o755 });
    const to = temporary();
    await chown(to, NOBODY, NOBODY);
    await asNobody(async () => {
      await drive.restore({ run, to });
      for (const name of ["file", "empty"]) await chmod(path.join(to, name), 0);
      const { tally } = await drive.restore({ run, to });
      expect(tally).toMatchObject({ failures: [], counts: { unchanged: 1 } });
    });
    expect([await modeOf(to, "file"), await modeOf(to, "empty")]).toEqual(["644", "755"]);
  });
});

/** A directory as another one shows it: by bindfs. Skips the test where that cannot be. */
function mounted(skip: (why: string) => never, from: string, ...options: string[]): string {
  const at = temporary();
  const { status, error, stderr } = spawnSync("bindfs", ["-o", "allow_other", ...options, from, at]);
  if (status !== 0) skip(`bindfs cannot mount here: ${error?.message ?? stderr.toString()}`);
  onTestFinished(() => void spawnSync("umount", ["-l", at]));
  return at;
}

describe.runIf(isRoot)("a file system that refuses what is asked of it", () => {
  test("modes and times: contents come back, with a note each and one for all", async ({ skip }) => {
    const { run } = await withModes({ "d/": 0o750, "d/file": 0o640, "empty/": 0o700 });
    // Everybody may write, and all belongs to root: its owner alone may set modes and times.
    const to = mounted(skip, temporary(), "--force-user=root", "--perms=a+rwX", "--create-for-user=root");
    const { run: id, tally, message } = await asNobody(() => drive.restore({ run, to }));
    expect(tally).toMatchObject({ failures: [], counts: { copied: 1, failed: 0 } });
    expect(message).toMatch(/^3 files and directories /);
    expect(await readFile(path.join(to, "d/file"), "utf8")).toBe("content of d/file");
    const outcome = (await drive.outcomes(id)).get("d/file");
    expect(outcome).toMatchObject({ outcome: "copied", unset: true });
    expect(outcome?.reason).toMatch(/mode .*EPERM.*time .*EPERM/);
  });
});

test("where nothing can be flushed, small and large files come back, with a note each and one for all", async () => {
  const { run } = await withModes({ "d/": 0o755, "d/small": 0o644, "d/large file": 0o644 });
  const handle = await open(process.execPath);
  const fileHandle = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const refused = Object.assign(new Error("EINVAL: invalid argument, fsync"), { code: "EINVAL" });
  const sync = vi.spyOn(fileHandle, "sync").mockRejectedValue(refused);
  onTestFinished(() => sync.mockRestore());
  const to = temporary();
  const divided = new Drive(azurite.service, { largeFile: 16 });
  const { run: id, tally, message } = await divided.restore({ run, to });
  expect(tally).toMatchObject({ failures: [], counts: { copied: 2, failed: 0 } });
  // The two files and their directory.
  expect(message).toMatch(/^3 files and directories /);
  for (const name of ["d/small", "d/large file"]) {
    expect(await readFile(path.join(to, name), "utf8")).toBe(`content of ${name}`);
    const reason = expect.stringMatching(/flushed .*EINVAL/) as string;
    expect((await drive.outcomes(id)).get(name)).toMatchObject({ outcome: "copied", unset: true, reason });
  }
});

test("where a directory cannot be flushed, its files have failed, and no others", async () => {
  const { run } = await withModes({ "bad/": 0o755, "bad/a": 0o644, "bad/large file": 0o644, good: 0o644 });
  const to = temporary();
  const handle = await open(to);
  const fileHandle = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const sync = vi.spyOn(fileHandle, "sync").mockImplementation(async function (this: FileHandle) {
    const bad = await lstat(path.join(to, "bad")).catch(() => undefined);
    if ((await this.stat()).ino === bad?.ino)
      throw Object.assign(new Error("EIO"), { code: "EIO", syscall: "fsync" });
    await this.datasync();
  });
  onTestFinished(() => sync.mockRestore());
  const divided = new Drive(azurite.service, { largeFile: 16 });
  const { run: id, tally } = await divided.restore({ run, to });
  expect(tally.counts).toMatchObject({ copied: 1, failed: 3 });
  const outcomes = await drive.outcomes(id);
  for (const name of ["bad/a", "bad/large file"])
    expect(outcomes.get(name)).toMatchObject({
      outcome: "failed",
      reason: expect.stringContaining("EIO") as string,
    });
});
