/** Row 11: files that cannot be read. The kernel gives the errors: of a file system on FUSE, and of a low limit on handles. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomesByPath, readLedger } from "../harness/blobs.ts";
import { counted, PATIENCE } from "../harness/faults.ts";
import { mountFuse } from "../harness/fuse.ts";
import { isWrite } from "../harness/storage-proxy.ts";
import { bytes, makeTree, manyFiles } from "../harness/tree.ts";
import { expectBackedUp, startRig, type Rig } from "./rig.ts";

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
    "each has an outcome with its name, and the run goes on",
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
        expect(status.output).toMatch(/5 of 8 files failed, the others are backed up\./);
        const outcomes = outcomesByPath(await readLedger(rig.service, id));
        const io = "input/output error: the disk or the share failed (EIO)";
        const stale = "stale file handle: the share was mounted anew (ESTALE)";
        expect(Object.fromEntries([...outcomes].map(([name, { reason }]) => [name, reason]))).toEqual({
          "good.txt": undefined,
          "z/good.txt": undefined,
          "disk/fine": undefined,
          "disk/bad-sector": io,
          "disk/stale": stale,
          "disk/no-inode": io,
          "disk/bad-directory": `the directory could not be read: ${io}`,
          "disk/stale-directory": `the directory could not be read: ${stale}`,
        });
        counted(11, { files: outcomes.size, "EIO and ESTALE": 5, "troubles met": mount.met.size });
      } finally {
        await mount.unmount();
      }
    },
    PATIENCE,
  );
});

describe.runIf(process.platform === "linux")("row 11: EMFILE", () => {
  it(
    "with hardly any file handles left, fewer files are copied at a time, and all are",
    async () => {
      const { pid } = rig.host;
      const root = await makeTree(`${rig.folder}/many`, { ...manyFiles(300, 20), big: bytes(9_000_000) });
      const limit = async (handles: number) =>
        execFileSync("prlimit", ["--pid", String(pid), `--nofile=${handles}:${HARD_LIMIT}`]);
      const HARD_LIMIT = hardLimit(pid);
      let [open, most] = [0, 0];
      const handles = (await readdir(`/proc/${pid}/fd`)).length;
      const spare = 24;
      rig.proxy.before = (request) => {
        if (request.container === "few-handles" && isWrite(request)) most = Math.max(most, ++open);
      };
      rig.proxy.after = async (request) => {
        // Storage is slow, so that files and sockets pile up.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (request.container === "few-handles" && isWrite(request)) open--;
      };
      await limit(handles + spare);
      try {
        const id = await rig.post("backupSiteContent", { root, container: "few-handles" });
        const status = await rig.follow(id, PATIENCE);
        await expectBackedUp(rig, { id, status, root, container: "few-handles" });
      } finally {
        await limit(HARD_LIMIT);
      }
      expect(most).toBeLessThanOrEqual(spare);
      counted(11, { files: 301, "handles left": spare, "most requests at a time": most });
    },
    PATIENCE,
  );
});

function hardLimit(pid: number): number {
  const text = execFileSync("prlimit", ["--pid", String(pid), "--nofile", "--output=HARD", "--noheadings"]);
  return Number(text.toString());
}
