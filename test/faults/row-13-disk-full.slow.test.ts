/** Row 13: the disk is full under the ledger and under the durable state (under a restore: test/restore/full.test.ts). */
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Azurite } from "../../local/storage/azurite.ts";
import { expectSameTree, readBlobs } from "../harness/blobs.ts";
import { counted, PATIENCE } from "../harness/faults.ts";
import { PUBLISHED_ACCOUNT } from "../harness/published-account.ts";
import { freePort, startLocalHost } from "../harness/local-host.ts";
import { bytes, bytesOf, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { expectBackedUp, startRig, type Rig } from "./rig.ts";

const NO_MOUNT = "this user may not mount a file system";

let rig: Rig;

beforeEach(async () => {
  rig = await startRig("disk-full");
});
const mounts: string[] = [];

afterEach(async () => {
  // The folder goes with the rig, and cannot while a file system is mounted in it.
  await rig?.host.stop();
  for (const at of mounts.splice(0)) execFileSync("umount", ["-l", at]);
  await rig?.stop();
});

/** A file system of so many KiB, which can be made larger; undefined where this user may not mount one. */
async function smallDisk(name: string, kib: number): Promise<{ at: string; grow: () => void } | undefined> {
  const at = `${rig.folder}/${name}`;
  await mkdir(at);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", at], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  mounts.push(at);
  return { at, grow: () => void execFileSync("mount", ["-o", "remount,size=512m", at]) };
}

const hasEnded = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe("row 13: disk full", () => {
  it(
    "at the durable state: the host says so and ends; after room was made it continues, each file counts once",
    async ({ skip }) => {
      const disk = await smallDisk("state", 600);
      if (!disk) return skip(NO_MOUNT);
      const root = await makeTree(`${rig.folder}/tree`, manyFiles(300));
      await rig.host.stop();
      const host = await startLocalHost({
        entry: "build",
        state: disk.at,
        connectionString: rig.proxy.connectionString,
        env: { BACKUP_ROOTS: rig.folder },
      });
      rig.host = host;
      // Runs until the state is full; each leaves its history there.
      const ids: string[] = [];
      for (let run = 0; !hasEnded(host.pid) && run < 40; run++) {
        const id = await rig
          .post("backupSiteContent", { root, container: `full-${run}` })
          .catch(() => undefined);
        if (id === undefined) break;
        ids.push(id);
        await rig.follow(id, 40_000).catch(() => undefined);
      }
      for (let tries = 0; !hasEnded(host.pid) && tries < 200; tries++) await sleep(50);
      expect(hasEnded(host.pid)).toBe(true);
      expect(host.logs()).toMatch(/disk is full.*make room/);
      disk.grow();
      await rig.restart();
      for (const [run, id] of ids.entries()) {
        await expectBackedUp(rig, {
          id,
          status: await rig.follow(id, PATIENCE),
          root,
          container: `full-${run}`,
        });
      }
      expect(ids.length).toBeGreaterThan(0);
      counted(13, { "runs until the state was full": ids.length, "runs completed after": ids.length });
    },
    PATIENCE,
  );

  it(
    "at the storage that holds blobs and ledger: the run ends with a reason, no blob is half-written, another continues",
    async ({ skip }) => {
      const disk = await smallDisk("storage", 16 * 1024);
      if (!disk) return skip(NO_MOUNT);
      const root = await makeTree(`${rig.folder}/tree`, {
        ...manyFiles(60),
        "big.bin": bytes(9 * 1024 * 1024, "big"),
        "huge.bin": bytes(12 * 1024 * 1024, "huge"),
      });
      const tree = await readTree(root);
      const port = await freePort();
      const storage = await Azurite.start({ stateFolder: disk.at, port, account: PUBLISHED_ACCOUNT });
      const { connectionString } = storage;
      const service = BlobServiceClient.fromConnectionString(connectionString);
      try {
        await rig.host.stop();
        await rig.restart({ env: { BACKUP_ROOTS: rig.folder, BackupStorage: connectionString } });
        const id = await rig.post("backupSiteContent", { root, container: "full" });
        const since = performance.now();
        const status = await rig.follow(id, PATIENCE);
        const seconds = Math.round((performance.now() - since) / 1000);
        expect(status.runtimeStatus).toBe("Failed");
        expect(status.output).toMatch(/The storage account (could not be reached or failed|answered)/);
        const there = await readBlobs(service.getContainerClient("full"));
        for (const [name, { content }] of there)
          expect(content.equals(tree.get(name)!.content), name).toBe(true);
        expect(there.size).toBeLessThan(tree.size);

        disk.grow();
        const again = await rig.post("backupSiteContent", { root, container: "full" });
        const output = bytesOf(tree);
        expect(await rig.follow(again, PATIENCE)).toMatchObject({ runtimeStatus: "Completed", output });
        expectSameTree(await readBlobs(service.getContainerClient("full")), tree, again);
        counted(13, { "blobs until storage was full": there.size, of: tree.size, "ended after s": seconds });
      } finally {
        await rig.host.stop();
        await rig.restart();
        await storage.stop();
      }
    },
    PATIENCE,
  );
});
