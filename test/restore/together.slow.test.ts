/** A batch's files are flushed by one flush of their file system, `sync -f`: see also together.test.ts. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { newRun } from "../harness/domain.ts";
import { FILES, startTogether } from "./together.ts";
import { IN_MEMORY, snapshotOf, temporary } from "./tree.ts";

const backup = startTogether();
const { restore } = backup;

describe.runIf(process.platform === "linux")("one flush for many files", () => {
  test.each([
    ["fails", "exit 1"],
    ["hangs", "exec sleep 20"],
  ])("where it %s, each file is flushed", async (_how, script) => {
    vi.stubEnv("FILE_TIMEOUT_MS", "1000");
    onTestFinished(() => void vi.unstubAllEnvs());
    const to = temporary(IN_MEMORY);
    const ended = await restore(script, to);
    expect(ended).toMatchObject({ failures: [], counts: { copied: FILES } });
    expect(await snapshotOf(to)).toEqual(backup.wanted);
    expect(ended?.flushes).toBeGreaterThanOrEqual(FILES);
  });

  test("does not count for what is on another file system", async ({ skip }) => {
    const to = temporary(IN_MEMORY);
    const inside = path.join(to, "all/d001");
    await mkdir(inside, { recursive: true });
    try {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", inside], { stdio: "ignore" });
    } catch {
      return skip("this user may not mount a file system");
    }
    onTestFinished(() => void execFileSync("umount", [inside]));
    const ended = await restore('exec /bin/sync "$@"', to);
    expect(await snapshotOf(to)).toEqual(backup.wanted);
    expect(ended?.flushes).toBeGreaterThanOrEqual(20);
    expect(ended?.flushes).toBeLessThan(30);
  });

  test("follows no link that has come in the place of a directory", async () => {
    const [to, outside] = [temporary(IN_MEMORY), path.join(temporary(IN_MEMORY), "outside")];
    const script = `mv all ${outside}; ln -s ${outside} all; exec /bin/sync "$@"`;
    const ended = await restore(script, to);
    expect(ended?.counts).toMatchObject({ copied: 0, failed: FILES });
    expect(ended?.failures[0]).toContain("links are never followed");
    const there = [...(await snapshotOf(outside)).keys()];
    expect(there).toHaveLength(FILES);
    expect(there.filter((name) => !name.endsWith(".partial"))).toEqual([]);
  });

  test("is broken off by a kill: nothing is in its place, and the next delivery restores all", async () => {
    const [to, id] = [temporary(IN_MEMORY), newRun()];
    expect(await restore("kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)", to, id)).toBeUndefined();
    const left = [...(await snapshotOf(to)).keys()];
    expect(left).toHaveLength(FILES);
    expect(left.filter((name) => !name.endsWith(".partial"))).toEqual([]);
    expect(await restore('exec /bin/sync "$@"', to, id)).toMatchObject({
      failures: [],
      counts: { copied: FILES },
    });
    expect(await snapshotOf(to)).toEqual(backup.wanted);
  });

  test("on a disk that hangs while files are written nothing half-written is left", async ({ skip }) => {
    const disk = frozenDisk(["to/all/d000", "to/all/d001", "to/all/d002"]);
    if (!disk) return skip("this user may not mount a file system");
    const to = path.join(disk.at, "to");
    // The file thread hangs, and so do the threads that were to do its work.
    const thaw = async (pid: number): Promise<void> => {
      while (hanging(pid) < 2) await sleep(20);
      disk.thaw();
    };
    const ended = await restore('exec /bin/sync "$@"', to, newRun(), "changed", thaw);
    expect(ended).toMatchObject({ failures: [], counts: { copied: FILES } });
    expect(await snapshotOf(to)).toEqual(backup.wanted);
  });
});

/** A file system whose writes hang until it is thawed; undefined where this user may not mount one. */
function frozenDisk(directories: string[]): { at: string; thaw(): void } | undefined {
  const at = temporary();
  const image = path.join(temporary(), "image");
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: "ignore" });
  try {
    run("truncate", "-s", "16M", image);
    run("mkfs.ext4", "-q", image);
    run("mount", "-o", "loop", image, at);
  } catch {
    return undefined;
  }
  let isFrozen = false;
  const thaw = (): void => {
    if (isFrozen) run("fsfreeze", "-u", at);
    isFrozen = false;
  };
  onTestFinished(() => {
    thaw();
    run("umount", at);
  });
  run("mkdir", "-p", ...directories.map((directory) => path.join(at, directory)));
  run("fsfreeze", "-f", at);
  isFrozen = true;
  return { at, thaw };
}

/** How many threads of a process wait for a disk. */
function hanging(pid: number): number {
  const states = readdirSync(`/proc/${pid}/task`).map((task) =>
    readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8").replace(/^.*\) /s, ""),
  );
  return states.filter((state) => state.startsWith("D")).length;
}
