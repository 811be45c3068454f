/** Row 6: bits flip on the wire between the app and storage, on the way there and on the way back. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, dice, PATIENCE } from "../harness/faults.ts";
import { flipBits } from "../harness/flip-bits.ts";
import { bytes, bytesOf, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { expectBackedUp, expectSameOnDisk, startRig, type Rig } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("flipped-bits", { env: { BACKUP_LARGE_FILE_MIB: "20" } });
});
afterAll(async () => {
  await rig?.stop();
});

describe("row 6: a bit flipped on the wire", () => {
  it.each([
    { layout: "files", sent: 30, fetched: 20 },
    { layout: "packs", sent: 5, fetched: 5 },
  ])(
    "is refused by its hash and sent again, in either direction: backup, restore and verification are right ($layout)",
    async ({ layout, sent, fetched }) => {
      const { seed, roll } = dice();
      const root = await makeTree(`${rig.folder}/${layout}`, {
        ...manyFiles(40, 10),
        "blocks.bin": bytes(17 * 1024 * 1024, "blocks"),
        "ranges.bin": bytes(21 * 1024 * 1024, "ranges"),
      });
      const container = `flipped-${layout}`;
      const flipped = flipBits(rig.proxy, roll);
      const id = await rig.post("backupSiteContent", { root, container, layout });
      const status = await rig.follow(id, PATIENCE);
      expect(status).toMatchObject({ runtimeStatus: "Completed" });
      if (layout === "files") await expectBackedUp(rig, { id, status, root, container });
      const backup = { up: flipped.up.length, down: flipped.down.length };

      const to = `${rig.folder}/${layout}-restored`;
      const restore = flipBits(rig.proxy, roll);
      const restoreId = await rig.post("restoreSiteContent", { run: id, to });
      const output = bytesOf(await readTree(root));
      expect(await rig.follow(restoreId, PATIENCE)).toMatchObject({ runtimeStatus: "Completed", output });
      await expectSameOnDisk(root, to);

      const verify = flipBits(rig.proxy, roll);
      const verifyId = await rig.post("verifyBackup", { run: id, readData: "100%" });
      expect(await rig.follow(verifyId, PATIENCE)).toMatchObject({ runtimeStatus: "Completed", output: 42 });

      // What storage was sent damaged it refused: a body that is empty has no bit to flip.
      const damaged = flipped.up.filter(({ bytes: length }) => length > 0);
      expect(damaged.length).toBeGreaterThan(sent);
      for (const request of damaged)
        expect(request.status, JSON.stringify(request)).toBeGreaterThanOrEqual(400);
      const data = restore.down.filter((request) => request.container === container);
      expect(data.length).toBeGreaterThan(fetched);
      counted(6, {
        layout,
        "flipped in a backup, up": damaged.length,
        down: backup.down,
        "in a restore, up": restore.up.length,
        "down ": restore.down.length,
        "in a verification, down": verify.down.length,
        seed,
      });
    },
    PATIENCE,
  );
});
