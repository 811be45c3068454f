/** Row 12: links that loop or lead outside, pipes, sockets, devices, and a mount that hangs. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { counted, PATIENCE } from "../harness/faults.ts";
import { mountFuse, type FuseTree } from "../harness/fuse.ts";
import { link, makeTree, manyFiles } from "../harness/tree.ts";
import { childrenOf, isRunning } from "../harness/processes.ts";
import { expectBackedUp, startRig, type Rig } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("no-files", { env: { BACKUP_FILE_TIMEOUT_SECONDS: "2" } });
});
afterAll(async () => {
  await rig?.stop();
});

describe("row 12: what is no file", () => {
  it(
    "link loops, links outside, a pipe, a socket, devices: no hang, no escape, each recorded",
    async () => {
      await makeTree(`${rig.folder}/outside`, { "secret.txt": "secret" });
      const root = await makeTree(`${rig.folder}/tree`, {
        file: "file",
        "dir/up": link(".."),
        "dir/self": link("self"),
        "dir/a": link("b"),
        "dir/b": link("a"),
        "dir/nowhere": link("/nonexistent"),
        outside: link("../outside"),
        "outside-file": link(`${rig.folder}/outside/secret.txt`),
      });
      const skipped: Record<string, string> = { pipe: "a named pipe (FIFO)", socket: "a socket" };
      execFileSync("mkfifo", [`${root}/pipe`]);
      const server = createServer().listen(`${root}/socket`);
      await once(server, "listening");
      if (process.geteuid?.() === 0) {
        execFileSync("mknod", [`${root}/null`, "c", "1", "3"]);
        execFileSync("mknod", [`${root}/block`, "b", "7", "200"]);
        Object.assign(skipped, { null: "a character device", block: "a block device" });
      }
      const id = await rig.post("backupSiteContent", { root, container: "no-files" });
      const status = await rig.follow(id, PATIENCE);
      server.close();
      expect(status).toMatchObject({ runtimeStatus: "Completed", output: 4 });
      const outcomes = outcomesByPath(await readLedger(rig.service, id));
      for (const [name, reason] of Object.entries(skipped)) {
        expect(outcomes.get(name), name).toMatchObject({ outcome: "skipped", reason });
      }
      const blobs = await readBlobs(rig.service.getContainerClient("no-files"));
      expect(
        Object.fromEntries([...blobs].map(([name, { content }]) => [name, content.toString("utf8")])),
      ).toEqual({
        file: "file",
        "dir/up": "..",
        "dir/self": "self",
        "dir/a": "b",
        "dir/b": "a",
        "dir/nowhere": "/nonexistent",
        outside: "../outside",
        "outside-file": `${rig.folder}/outside/secret.txt`,
      });
      expect(outcomes.size).toBe(8 + Object.keys(skipped).length);
      counted(12, { links: 7, skipped: Object.keys(skipped).length });
    },
    PATIENCE,
  );
});

/** A run in which operations hang ends within this time; the machine may be busy. */
const ENDS_WITHIN = 100_000;

describe("row 12: a mount that hangs", () => {
  /** Backs up a tree with a mount in it; gives the outcomes. Then the mount answers: what comes after is not its matter. */
  async function backUpWith(name: string, files: number, tree: FuseTree) {
    const root = await makeTree(`${rig.folder}/${name}`, manyFiles(files));
    await mkdir(`${root}/mount`);
    const mount = mountFuse(`${root}/mount`, tree);
    if (!mount) return undefined;
    let run;
    try {
      const since = performance.now();
      const id = await rig.post("backupSiteContent", { root, container: name });
      const status = await rig.follow(id, ENDS_WITHIN);
      const seconds = Math.round((performance.now() - since) / 1000);
      expect(status.runtimeStatus).toBe("Failed");
      run = { status, outcomes: outcomesByPath(await readLedger(rig.service, id)), seconds };
    } finally {
      await mount.unmount();
    }
    const container = `${name}-again`;
    const again = await rig.post("backupSiteContent", { root, container });
    await expectBackedUp(rig, { id: again, status: await rig.follow(again, PATIENCE), root, container });
    return run;
  }
  const SKIP = "this user, or this system, cannot mount a file system on FUSE";

  it(
    "two operations that never end cost their own files and no others",
    async ({ skip }) => {
      const run = await backUpWith("hangs", 50, {
        fine: { content: "fine" },
        "hangs-on-read": { content: "lost", trouble: { on: "read", hangs: true } },
        "hangs-on-open": { content: "lost", trouble: { on: "open", hangs: true } },
      });
      if (!run) return skip(SKIP);
      const failed = [...run.outcomes.values()].filter(({ outcome }) => outcome === "failed");
      expect(Object.fromEntries(failed.map(({ path, reason }) => [path, reason]))).toEqual({
        "mount/hangs-on-read": expect.stringMatching(/^reading .*\b2 s\b/),
        "mount/hangs-on-open": expect.stringMatching(/^opening .*\b2 s\b/),
      });
      expect(run.outcomes.get("mount/fine")?.outcome).toBe("copied");
      expect(run.outcomes.size).toBe(53);
      counted(12, {
        "hanging operations": 2,
        files: run.outcomes.size,
        failed: failed.length,
        s: run.seconds,
      });
    },
    PATIENCE,
  );

  it(
    "a mount that takes all of the process's file threads: the run ends, each file is recorded",
    async ({ skip }) => {
      const hanging: FuseTree = {};
      for (let index = 0; index < 300; index++) {
        hanging[`file${index}`] = { content: "lost", trouble: { on: "read", hangs: true } };
      }
      const run = await backUpWith("hangs-all", 50, hanging);
      if (!run) return skip(SKIP);
      expect(run.outcomes.size).toBe(350);
      const failed = [...run.outcomes.values()].filter(({ outcome }) => outcome === "failed");
      expect(failed.length).toBeGreaterThanOrEqual(300);
      for (const { reason } of failed) expect(reason).toMatch(/\b2 s\b|not answer/);
      // Not two seconds for each of them: when nothing answers, that is known.
      expect(run.seconds).toBeLessThan(60);
      counted(12, {
        "hanging operations": 300,
        files: run.outcomes.size,
        failed: failed.length,
        s: run.seconds,
      });
    },
    PATIENCE,
  );

  it(
    "a mount whose directories hang: the run ends, and names each",
    async ({ skip }) => {
      const hanging: FuseTree = {};
      for (let index = 0; index < 12; index++) {
        hanging[`directory${index}`] = { directory: true, trouble: { on: "open", hangs: true } };
      }
      const run = await backUpWith("hangs-listing", 50, hanging);
      if (!run) return skip(SKIP);
      for (const name of Object.keys(hanging)) {
        expect(run.outcomes.get(`mount/${name}`)).toMatchObject({
          outcome: "failed",
          reason: expect.stringMatching(/directory .*not answer/),
        });
      }
      expect(run.seconds).toBeLessThan(60);
      counted(12, { "hanging directories": 12, s: run.seconds });
    },
    PATIENCE,
  );

  const HANGS: [where: string, what: FuseTree[string]][] = [
    ["in small files", { content: "lost", trouble: { on: "read", hangs: true } }],
    ["in large files", { content: "lost".repeat(20_000), trouble: { on: "read", hangs: true } }],
    ["in directories", { directory: true, trouble: { on: "open", hangs: true } }],
  ];
  for (const [where, hanging] of HANGS)
    it(
      `a host that is told to end does, while the mount hangs ${where}; the run continues when the mount answers`,
      async ({ skip }) => {
        const container = where.replaceAll(" ", "-");
        const root = await makeTree(`${rig.folder}/${container}`, manyFiles(50));
        await mkdir(`${root}/mount`);
        const names = Array.from({ length: 6 }, (_none, index) => `hangs${index}`);
        const mount = mountFuse(`${root}/mount`, Object.fromEntries(names.map((name) => [name, hanging])));
        if (!mount) return skip(SKIP);
        const roots = { BACKUP_ROOTS: rig.folder, RESTORE_ROOTS: rig.folder };
        const within = async (condition: () => boolean) => {
          const until = performance.now() + ENDS_WITHIN;
          while (!condition() && performance.now() < until) await sleep(50);
        };
        let id: string;
        let processes: number[];
        const since = { told: 0, ended: 0 };
        try {
          // So long that nothing has been given up when the host is told to end.
          await rig.host.stop();
          await rig.restart({
            env: { ...roots, BACKUP_FILE_TIMEOUT_SECONDS: "600", FUNCTIONS_WORKER_PROCESS_COUNT: "2" },
          });
          id = await rig.post("backupSiteContent", { root, container });
          await within(() => mount.met.size > 0);
          processes = [rig.host.pid, ...childrenOf(rig.host.pid)];
          since.told = performance.now();
          process.kill(rig.host.pid, "SIGTERM");
          await within(() => !processes.some(isRunning));
          expect(processes.filter(isRunning)).toEqual([]);
          since.ended = performance.now();
          expect(mount.met.size).toBeGreaterThan(0);
        } finally {
          await mount.unmount();
        }
        await rig.restart({ env: { ...roots, BACKUP_FILE_TIMEOUT_SECONDS: "2" } });
        // Without the mount its directory is another one than was listed: that is told, and costs what was in it alone.
        const runtimeStatus = where === "in directories" ? "Completed" : "Failed";
        expect(await rig.follow(id, PATIENCE)).toMatchObject({ runtimeStatus });
        const outcomes = outcomesByPath(await readLedger(rig.service, id));
        for (const name of Object.keys(manyFiles(50))) expect(outcomes.get(name)?.outcome).toBe("copied");
        counted(12, {
          [`hanging ${where}, processes that ended`]: processes.length,
          s: Math.round((since.ended - since.told) / 1000),
        });
      },
      PATIENCE,
    );

  it(
    "a root, or a directory to restore into, that hangs: the start says so, and other starts continue",
    async ({ skip }) => {
      const root = await makeTree(`${rig.folder}/good`, manyFiles(10));
      const at = `${rig.folder}/dead`;
      await mkdir(at);
      const mount = mountFuse(at, { gone: { directory: true, trouble: { on: "lookup", hangs: true } } });
      if (!mount) return skip(SKIP);
      try {
        const says = /^Error: 503 .*not answer/;
        const starts = ["backupSiteContent", "backupSiteContent"].map((name, index) =>
          rig.post(name, { root: `${at}/gone`, container: `dead-${index}` }),
        );
        for (const start of await Promise.allSettled(starts)) {
          expect(start.status).toBe("rejected");
          expect(String((start as PromiseRejectedResult).reason)).toMatch(says);
        }
        const id = await rig.post("backupSiteContent", { root, container: "good" });
        await expectBackedUp(rig, { id, status: await rig.follow(id, PATIENCE), root, container: "good" });
        const restore = rig.post("restoreSiteContent", { run: id, to: `${at}/gone` });
        await expect(restore.catch((error: unknown) => String(error))).resolves.toMatch(says);
      } finally {
        await mount.unmount();
      }
    },
    PATIENCE,
  );
});
