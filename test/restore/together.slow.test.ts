/** A batch's files are flushed by one flush of their file system, `sync -f`. Another program is in its place here. */
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { text } from "node:stream/consumers";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Tally } from "../../src/model/outcome.ts";
import { startDrive } from "../harness/drive.ts";
import { makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { IN_MEMORY, snapshotOf, temporary } from "./tree.ts";

const CHILD = fileURLToPath(new URL("restore-child.ts", import.meta.url));
const FILES = 60;
const TREE = Object.fromEntries(
  Object.entries(manyFiles(FILES, 20)).map(([name, content]) => [`all/${name}`, content]),
);
const SIZE = Object.values(TREE).reduce(
  (sum, content) => sum + (typeof content === "string" ? content.length : 0),
  0,
);

const { azurite, drive } = startDrive();
let root: string;
let run: string;
let wanted: Map<string, string>;

beforeAll(async () => {
  root = await makeTree(await makeFolder("together"), TREE);
  ({ run } = await drive.backup({ root }));
  wanted = await snapshotOf(root);
});
afterAll(() => rm(root, { recursive: true }));

type Ended = Tally & { flushes: number };

/**
 * Restores in a process of its own. The script has in $2 what is open in the directory; only the first flush, by which a
 * process finds out whether it can flush at all, always works.
 * @param meanwhile is given the process
 * @returns undefined if the process was killed
 */
async function restore(
  script: string,
  to: string,
  id = newId(),
  overwrite = "changed",
  meanwhile: (pid: number) => Promise<void> = async () => {},
): Promise<Ended | undefined> {
  const bin = temporary();
  const sync = path.join(bin, "sync");
  writeFileSync(sync, `#!/bin/sh\n[ "$(readlink "$2")" = /proc ] && exit 0\ncd "$2"\n${script}\n`);
  chmodSync(sync, 0o755);
  const child = spawn(process.execPath, [CHILD, azurite.connectionString, id, run, to, overwrite], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
  });
  const [output] = await Promise.all([text(child.stdout), meanwhile(child.pid ?? 0)]);
  const ended = output.split("\n")[1];
  return ended ? (JSON.parse(ended) as Ended) : undefined;
}

function newId(): string {
  return randomUUID().replaceAll("-", "");
}

describe.runIf(process.platform === "linux")("one flush for many files", () => {
  test("comes when all are written and none is in its place; what comes there meanwhile is kept", async () => {
    const seen = path.join(temporary(), "seen");
    const [first = ""] = wanted.keys();
    const to = temporary(IN_MEMORY);
    const script = `find . -type f -printf '%f %s\\n' >> ${seen}; printf new > ${first}; exec /bin/sync "$@"`;
    const ended = await restore(script, to, newId(), "never");
    expect(ended?.counts).toMatchObject({ copied: FILES - 1, skipped: 1, failed: 0 });
    const files = (await readFile(seen, "utf8")).trimEnd().split("\n");
    expect(files).toHaveLength(FILES);
    expect(files.filter((file) => !/\.partial \d+$/.test(file))).toEqual([]);
    const sizes = files.map((file) => Number(file.split(" ")[1]));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(SIZE);
    // The directories.
    expect(ended?.flushes).toBeLessThan(10);
    const there = await snapshotOf(to);
    expect(await readFile(path.join(to, first), "utf8")).toBe("new");
    there.set(first, wanted.get(first)!);
    expect(there).toEqual(wanted);
  });

  test("where it fails, each file is flushed", async () => {
    const to = temporary(IN_MEMORY);
    const ended = await restore("exit 1", to);
    expect(ended).toMatchObject({ failures: [], counts: { copied: FILES } });
    expect(await snapshotOf(to)).toEqual(wanted);
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
    expect(await snapshotOf(to)).toEqual(wanted);
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
    const [to, id] = [temporary(IN_MEMORY), newId()];
    expect(await restore("kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)", to, id)).toBeUndefined();
    const left = [...(await snapshotOf(to)).keys()];
    expect(left).toHaveLength(FILES);
    expect(left.filter((name) => !name.endsWith(".partial"))).toEqual([]);
    expect(await restore('exec /bin/sync "$@"', to, id)).toMatchObject({
      failures: [],
      counts: { copied: FILES },
    });
    expect(await snapshotOf(to)).toEqual(wanted);
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
    const ended = await restore('exec /bin/sync "$@"', to, newId(), "changed", thaw);
    expect(ended).toMatchObject({ failures: [], counts: { copied: FILES } });
    expect(await snapshotOf(to)).toEqual(wanted);
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
