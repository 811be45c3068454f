/** Row 3: every activity of the app is delivered twice, half of them at the same time. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, PATIENCE } from "../harness/faults.ts";
import { bytes, bytesOf, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { expectBackedUp, expectSameOnDisk, startRig, type Rig } from "./rig.ts";

const APP = fileURLToPath(new URL("twice-app", import.meta.url));

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("twice", { app: APP, env: { BACKUP_LARGE_FILE_MIB: "9", BACKUP_LIST_FILES: "60" } });
});
afterAll(async () => {
  await rig?.stop();
});

interface Counts {
  counts: Record<string, number>;
}

describe("row 3: every activity delivered twice, some at the same time", () => {
  it(
    "a backup, an incremental one, a restore with delete, a verification and a prune: same blobs, same totals",
    async () => {
      const root = await makeTree(`${rig.folder}/tree`, {
        ...manyFiles(150, 20),
        "large.bin": bytes(18 * 1024 * 1024),
      });
      const container = "twice";
      const id = await rig.post("backupSiteContent", { root, container });
      await expectBackedUp(rig, { id, status: await rig.follow(id), root, container });

      const tree = await readTree(root);
      await writeFile(path.join(root, "d000/f00001.txt"), "changed since");
      const again = await rig.post("backupSiteContent", { root, container, mode: "incremental" });
      expect(await rig.follow(again)).toMatchObject({
        runtimeStatus: "Completed",
        output: "changed since".length,
        customStatus: { counts: { copied: 1, unchanged: tree.size - 1, failed: 0 } },
      });

      const same = await rig.post("backupSiteContent", {
        root,
        container,
        mode: "incremental",
        checksum: true,
      });
      expect(await rig.follow(same)).toMatchObject({
        output: 0,
        customStatus: { counts: { copied: 0, unchanged: tree.size, failed: 0 } },
      });

      const to = await makeTree(`${rig.folder}/restored`, {
        "extra/file": "extra",
        "d000/f00001.txt": "other",
      });
      const restore = await rig.post("restoreSiteContent", {
        run: same,
        to,
        delete: true,
        overwrite: "changed",
      });
      const restored = await rig.follow(restore);
      expect(restored).toMatchObject({ runtimeStatus: "Completed", output: bytesOf(await readTree(root)) });
      expect((restored.customStatus as Counts).counts).toMatchObject({
        copied: tree.size,
        unchanged: 0,
        failed: 0,
      });
      await expectSameOnDisk(root, to);

      const verify = await rig.post("verifyBackup", { run: same, readData: "100%" });
      expect(await rig.follow(verify)).toMatchObject({ runtimeStatus: "Completed", output: tree.size });

      const policy = { container, keepLast: 1 };
      const told = await rig.follow(await rig.post("pruneBackups", { ...policy, dryRun: true }));
      expect(told.customStatus).toMatchObject({ runs: { kept: 1, forgotten: 2 } });
      const pruned = await rig.follow(await rig.post("pruneBackups", policy));
      expect(pruned).toMatchObject({ runtimeStatus: "Completed", output: told.output });
      expect((pruned.customStatus as Counts).counts).toEqual((told.customStatus as Counts).counts);
      const whole = await rig.post("verifyBackup", { run: same, readData: "100%" });
      expect(await rig.follow(whole)).toMatchObject({ runtimeStatus: "Completed", output: tree.size });

      const lines = rig.host.logs().match(/TWICE (together|apart) \w+/g) ?? [];
      const names = new Set(lines.map((line) => line.split(" ")[2]));
      for (const name of [
        "getFileList",
        "copyFileToBlob",
        "copyLargeFile",
        "endRun",
        "planRestore",
        "deleteExtra",
        "restoreFiles",
        "planVerify",
        "verifyFiles",
        "verifyLargeFile",
        "restoreDirectories",
        "restoreLargeFile",
        "decidePrune",
        "gatherNeeds",
        "listContents",
        "deleteContents",
        "deleteLedgers",
      ]) {
        expect(names, name).toContain(name);
      }
      const together = lines.filter((line) => line.includes("together")).length;
      counted(3, { activities: lines.length, "at the same time": together, kinds: names.size });
    },
    PATIENCE,
  );
});
