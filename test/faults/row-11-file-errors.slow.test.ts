/** Row 11: files that cannot be read. The kernel gives the errors: of a file system on FUSE, and of a low limit on handles. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomesByPath, readLedger } from "../harness/blobs.ts";
import { counted, full, PATIENCE } from "../harness/faults.ts";
import { mountFuse } from "../harness/fuse.ts";
import { isWrite, type StorageRequest } from "../harness/storage-proxy.ts";
import { bytes, makeTree, manyFiles } from "../harness/tree.ts";
import type { WireFault } from "../harness/wire-faults.ts";
import { expectBackedUp, expectSameOnDisk, startRig, type Rig } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  // Handles are counted in one process.
  rig = await startRig("file-errors", { env: { FUNCTIONS_WORKER_PROCESS_COUNT: "1" } });
});
afterAll(async () => {
  await rig?.stop();
});

describe("row 11: EIO, ESTALE", () => {
  it(
    "each has an outcome with its name, and the run continues",
    async ({ skip }) => {
      const root = await makeTree(`${rig.folder}/tree`, { "good.txt": "good", "z/good.txt": "good too" });
      const disk = `${root}/disk`;
      await mkdir(disk);
      const mount = mountFuse(disk, {
        fine: { content: "fine" },
        "bad-sector": { content: "lost", trouble: { on: "read", error: "EIO" } },
        stale: { content: "lost", trouble: { on: "open", error: "ESTALE" } },
        "no-inode": { content: "lost", trouble: { on: "lookup", error: "EIO" } },
        "bad-directory": { directory: true, trouble: { on: "read", error: "EIO" } },
        "stale-directory": { directory: true, trouble: { on: "open", error: "ESTALE" } },
      });
      if (!mount) return skip("this user, or this system, cannot mount a file system on FUSE");
      try {
        const id = await rig.post("backupSiteContent", { root, container: "file-errors" });
        const status = await rig.follow(id, PATIENCE);
        expect(status.runtimeStatus).toBe("Failed");
        expect(status.output).toMatch(/\b5 of 8 files /);
        const outcomes = outcomesByPath(await readLedger(rig.service, id));
        const io = expect.stringMatching(/^(?!.*directory).*\(EIO\)$/) as string;
        const stale = expect.stringMatching(/^(?!.*directory).*\(ESTALE\)$/) as string;
        expect(Object.fromEntries([...outcomes].map(([name, { reason }]) => [name, reason]))).toEqual({
          "good.txt": undefined,
          "z/good.txt": undefined,
          "disk/fine": undefined,
          "disk/bad-sector": io,
          "disk/stale": stale,
          "disk/no-inode": io,
          "disk/bad-directory": expect.stringMatching(/directory .*\(EIO\)$/),
          "disk/stale-directory": expect.stringMatching(/directory .*\(ESTALE\)$/),
        });
        counted(11, { files: outcomes.size, "EIO and ESTALE": 5, "troubles met": mount.met.size });
      } finally {
        await mount.unmount();
      }
    },
    PATIENCE,
  );
});

/** Whoever waits for a handle that nobody gives back waits for two minutes. */
const WITHOUT_STARVING = 90_000;

describe.runIf(process.platform === "linux")("row 11: EMFILE", () => {
  /**
   * Backs a tree up, and restores it, in a process that has so many handles left; gives the most requests at a time, and
   * how many there may be: sockets that are open already and wait are used again.
   */
  async function withHandles(
    spare: number,
    root: string,
    container: string,
  ): Promise<{ most: number; room: number }> {
    const handles = await handlesOf(rig.host.pid);
    const seen: StorageRequest[] = [];
    let most = 0;
    rig.proxy.before = (request) => {
      if (request.container !== container) return;
      seen.push(request);
      most = Math.max(most, seen.filter(({ status }) => status === undefined).length);
    };
    // Storage is slow, so that files and sockets pile up.
    rig.proxy.after = () => sleep(20);
    const room = spare + handles.sockets;
    /** The shortage begins when the run does: to start one takes handles of the host, too. */
    const start = async (orchestrator: string, request: unknown) => {
      handles.limit(handles.hard);
      const run = await rig.post(orchestrator, request);
      handles.limit(handles.open + spare);
      return run;
    };
    try {
      const id = await start("backupSiteContent", { root, container });
      const status = await insisting(() => rig.follow(id, PATIENCE));
      await expectBackedUp(rig, { id, status, root, container });
      const to = `${root}-restored`;
      const restore = await start("restoreSiteContent", { run: id, to });
      const restored = await insisting(() => rig.follow(restore, PATIENCE));
      expect(restored).toMatchObject({ runtimeStatus: "Completed" });
      await expectSameOnDisk(root, to);
    } finally {
      handles.limit(handles.hard);
    }
    return { most, room };
  }

  /** Leaves files of a backup without an answer until no more come: so many are sent at a time. */
  async function holdFiles(
    container: string,
  ): Promise<{ held: number; answer: (fault?: WireFault) => void }> {
    const answers: ((fault?: WireFault) => void)[] = [];
    let last = 0;
    rig.proxy.before = (request) => {
      if (request.container !== container || !isWrite(request)) return undefined;
      last = performance.now();
      return new Promise((answer) => answers.push(answer));
    };
    // Longer than anybody who waits for a handle pauses.
    while (answers.length === 0 || performance.now() - last < 3_000) await sleep(50);
    return {
      held: answers.length,
      answer(fault) {
        rig.proxy.before = () => undefined;
        for (const answer of answers) answer(fault);
      },
    };
  }

  it(
    "with hardly any file handles left, fewer files are copied at a time, and all are",
    async () => {
      const root = await makeTree(`${rig.folder}/many`, manyFiles(300, 20));
      const spare = 16;
      const { most, room } = await withHandles(spare, root, "few-handles");
      expect(most).toBeLessThanOrEqual(room);
      counted(11, { files: 300, "handles left": spare, "most requests at a time": most });
    },
    WITHOUT_STARVING,
  );

  it(
    "with fewer handles than files that are sent in blocks, each gives its own back to others",
    async () => {
      const names = Array.from({ length: 12 }, (_none, index) => `big${index}`);
      const tree = Object.fromEntries(names.map((name) => [name, bytes(8_500_000, name)]));
      const root = await makeTree(`${rig.folder}/blocks`, tree);
      const spare = 8;
      const { most, room } = await withHandles(spare, root, "few-handles-blocks");
      expect(most).toBeLessThanOrEqual(room);
      counted(11, { "files in blocks": 12, "handles left": spare, "most requests at a time": most });
    },
    WITHOUT_STARVING,
  );

  it.runIf(full)(
    "after a shortage fewer files are sent at a time than before, also when all handles are there again",
    async () => {
      // One that has not met a shortage yet.
      await rig.host.stop();
      await rig.restart();
      const [files, container, spare] = [700, "shortage", 8];
      const root = await makeTree(`${rig.folder}/shortage`, manyFiles(files));
      const holding = holdFiles(container);
      const id = await rig.post("backupSiteContent", { root, container });
      const before = await holding;
      const handles = await handlesOf(rig.host.pid);
      let sent = 0;
      // Storage is slow, so that the shortage lasts for seconds.
      rig.proxy.after = async (request) => {
        if (request.container !== container) return;
        sent++;
        await sleep(300);
      };
      handles.limit(handles.open - handles.sockets + spare);
      try {
        // Their sockets are gone; the new ones need handles.
        before.answer("drop");
        while (sent < 300) await sleep(20);
      } finally {
        handles.limit(handles.hard);
      }
      const after = await holdFiles(container);
      after.answer();
      rig.proxy.after = () => undefined;
      await expectBackedUp(rig, { id, status: await rig.follow(id, PATIENCE), root, container });
      expect(before.held).toBeGreaterThanOrEqual(24);
      expect(after.held).toBeLessThan(before.held * 0.6);
      const [usual, then] = [before.held, after.held];
      counted(11, { files, "sent at a time before the shortage": usual, "and after it": then });
    },
    PATIENCE,
  );
});

/** Who polls the host needs a handle of it, too: one that has none closes the connection. */
async function insisting<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await sleep(100);
    }
  }
}

/** The handles that a process has open, sockets among them, and how many it may have. */
async function handlesOf(pid: number) {
  const ask = ["--pid", String(pid), "--nofile", "--output=HARD", "--noheadings"];
  const hard = Number(execFileSync("prlimit", ask).toString());
  const open = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  return {
    open: open.length,
    sockets: targets.filter((target) => target.startsWith("socket:")).length,
    hard,
    limit: (most: number) => execFileSync("prlimit", ["--pid", String(pid), `--nofile=${most}:${hard}`]),
  };
}
