/** Row 1: the host is killed at random moments of backups, restores and prunes, and started again on the same state. */
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LAYOUTS, type Layout } from "../../src/model/names.ts";
import { readLedger } from "../harness/blobs.ts";
import { counted, dice, full, PATIENCE } from "../harness/faults.ts";
import type { RunStatus } from "../harness/run.ts";
import { bytes, bytesOf, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { blobsNamedBy } from "../packs/reading.ts";
import { expectBackedUp, expectSameOnDisk, startRig, type Rig } from "./rig.ts";

const IN_FULL = Number(process.env["FAULT_KILLS"] ?? 200);
const KILLS = full ? { files: IN_FULL, packs: IN_FULL } : { files: 4, packs: 4 };
/** Kills of one run; then it may end. */
const KILLS_OF_A_RUN = 4;
/** About as many requests as a run makes here. */
const REQUESTS = {
  files: { backup: 200, restore: 160, prune: 150 },
  packs: { backup: 110, restore: 110, prune: 120 },
};
/** A kill comes at most so long after the request that it is counted from, in milliseconds. */
const LATER = 30;

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("kill-at-random", { env: { BACKUP_LARGE_FILE_MIB: "9", BACKUP_LIST_FILES: "30" } });
});
afterAll(async () => {
  await rig?.stop();
});

/** Follows a run that is killed now and then; says how often, and how it ended. */
async function killing(
  id: string,
  most: number,
  roll: () => number,
  requests: number,
): Promise<{ status: RunStatus; kills: number }> {
  let kills = 0;
  while (kills < most) {
    // At a random request of what may be left, before storage sees it or when it has done it, or some time later.
    let left = Math.floor(roll() * requests * 0.6);
    const [hook, later] = [roll() < 0.5 ? ("before" as const) : ("after" as const), roll() * LATER];
    const over = new AbortController();
    const killed = new Promise<void>((resolve, reject) => {
      let begun = false;
      rig.proxy[hook] = async () => {
        if (begun || over.signal.aborted || left-- > 0) return undefined;
        begun = true;
        if (later > LATER / 2) await sleep(later);
        await rig.host.kill().then(resolve, reject);
        return "drop";
      };
    });
    const ended = rig.follow(id, PATIENCE).then(
      (status) => status,
      // The host that was asked has been killed.
      () => undefined,
    );
    const status = await Promise.race([ended, killed.then(() => undefined)]);
    over.abort();
    rig.proxy.before = rig.proxy.after = () => undefined;
    if (status) return { status, kills };
    await killed;
    kills++;
    await rig.restart();
  }
  return { status: await rig.follow(id, PATIENCE), kills };
}

/** The tree as a day of work leaves it: some files are other ones, one is gone, one is new, and the large one begins otherwise. */
async function change(root: string, round: number): Promise<void> {
  const files = [...(await readTree(root)).keys()].filter((name) => name.endsWith(".txt"));
  for (const [index, name] of files.entries()) {
    if (index % 3 === round % 3) await writeFile(path.join(root, name), `as of round ${round}`);
  }
  // Of the first ten, which are of one directory: it loses one and gets one, so none becomes empty.
  await rm(path.join(root, files[round % 10]!));
  await writeFile(path.join(root, `d000/new-in-${round}.txt`), "new");
  const large = path.join(root, "large.bin");
  await writeFile(large, Buffer.concat([Buffer.from("+"), await readFile(large)]));
}

/** Nothing is left but what the tree's newest run needs, and that is whole. */
async function expectPruned(
  { root, container, layout }: { root: string; container: string; layout: Layout },
  kept: string,
  forgotten: string,
): Promise<void> {
  const tree = await readTree(root);
  const verify = await rig.post("verifyBackup", { run: kept, readData: "100%" });
  expect(await rig.follow(verify, PATIENCE)).toMatchObject({
    runtimeStatus: "Completed",
    output: tree.size,
    customStatus: { counts: { failed: 0, unchanged: tree.size } },
  });
  const left: string[] = [];
  const blobs = rig.service.getContainerClient(container).listBlobsFlat({ includeSnapshots: true });
  for await (const { name, snapshot } of blobs) left.push(snapshot ? `${name}@${snapshot}` : name);
  const needed =
    layout === "files" ? [...tree.keys()].sort() : await blobsNamedBy(rig.service, kept, container);
  expect(left.sort()).toEqual(needed);
  expect((await readLedger(rig.service, forgotten)).names).toEqual([]);
}

describe("row 1: SIGKILL of the host at random moments", () => {
  it.each(LAYOUTS)(
    "kills of backups, restores and prunes: each completes, each file counts once: %s",
    async (layout) => {
      const { seed, roll } = dice();
      const root = await makeTree(`${rig.folder}/${layout}`, {
        ...manyFiles(60, 10),
        "large.bin": bytes(10 * 1024 * 1024),
        // In the layout packs cut into chunks inside its batch.
        "larger.bin": bytes(5 * 1024 * 1024, "larger"),
      });
      const requests = REQUESTS[layout];
      const kills = { backup: 0, restore: 0, prune: 0 };
      const left = () => KILLS[layout] - kills.backup - kills.restore - kills.prune;
      // A run may end before its kill comes, so each kind is killed at least once.
      const most = (kind: keyof typeof kills, part: number) =>
        Math.max(kills[kind] ? 0 : 1, Math.min(KILLS_OF_A_RUN, Math.ceil(left() * part)));
      let runs = 0;
      for (let round = 0; left() > 0 || Object.values(kills).includes(0); round++) {
        const tree = await readTree(root);
        const place = { root, container: `killed-${layout}-${round}`, layout };
        const id = await rig.post("backupSiteContent", place);
        const backup = await killing(id, most("backup", 0.4), roll, requests.backup);
        kills.backup += backup.kills;
        await expectBackedUp(rig, { id, status: backup.status, ...place });

        const to = path.join(rig.folder, `restored-${layout}-${round}`);
        const restoreId = await rig.post("restoreSiteContent", { run: id, to });
        const restore = await killing(restoreId, most("restore", 0.5), roll, requests.restore);
        kills.restore += restore.kills;
        // Also what was in its place before a kill and recorded after it.
        expect(restore.status).toMatchObject({
          runtimeStatus: "Completed",
          output: bytesOf(tree),
          customStatus: { counts: { copied: tree.size, unchanged: 0, failed: 0 } },
        });
        await expectSameOnDisk(root, to);

        await change(root, round);
        const next = await rig.post("backupSiteContent", { ...place, mode: "incremental" });
        expect((await rig.follow(next, PATIENCE)).runtimeStatus).toBe("Completed");
        const policy = { container: place.container, keepLast: 1 };
        const foretold = await rig.follow(await rig.post("pruneBackups", { ...policy, dryRun: true }));
        const pruneId = await rig.post("pruneBackups", policy);
        const prune = await killing(pruneId, most("prune", 1), roll, requests.prune);
        kills.prune += prune.kills;
        expect(prune.status).toMatchObject({ runtimeStatus: "Completed", output: foretold.output });
        const { counts: told } = foretold.customStatus as { counts: object };
        expect(prune.status.customStatus).toMatchObject({ counts: told });
        await expectPruned(place, next, id);
        runs += 3;
      }
      expect(left()).toBeLessThanOrEqual(0);
      counted(1, {
        layout,
        "kills of backups": kills.backup,
        "of restores": kills.restore,
        "of prunes": kills.prune,
        runs,
        seed,
      });
    },
    PATIENCE,
  );
});
