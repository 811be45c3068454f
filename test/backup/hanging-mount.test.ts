/** Operations of a file system that never end: a short form of row 12 of test/faults. */
import { mkdir } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { startRig } from "../faults/rig.ts";
import { outcomesByPath, readLedger } from "../harness/blobs.ts";
import { mountFuse } from "../harness/fuse.ts";
import { makeTree, manyFiles } from "../harness/tree.ts";

const rig = await startRig("hanging-mount", { env: { BACKUP_FILE_TIMEOUT_SECONDS: "1" } });
afterAll(() => rig.stop());

test("they cost their own files, each by name, and no others; the run ends", async ({ skip }) => {
  const root = await makeTree(`${rig.folder}/tree`, manyFiles(20));
  await mkdir(`${root}/mount`);
  const mount = mountFuse(`${root}/mount`, {
    fine: { content: "fine" },
    "hangs-on-read": { content: "lost", trouble: { on: "read", hangs: true } },
    "hangs-on-open": { content: "lost", trouble: { on: "open", hangs: true } },
  });
  if (!mount) return skip("this user, or this system, cannot mount a file system on FUSE");
  try {
    const id = await rig.post("backupSiteContent", { root, container: "hanging" });
    expect(await rig.follow(id)).toMatchObject({ runtimeStatus: "Failed" });
    const outcomes = outcomesByPath(await readLedger(rig.service, id));
    const failed = [...outcomes.values()].filter(({ outcome }) => outcome === "failed");
    expect(failed.map(({ path }) => path).sort()).toEqual(["mount/hangs-on-open", "mount/hangs-on-read"]);
    expect(outcomes.size).toBe(23);
  } finally {
    await mount.unmount();
  }
});
