/** Row 1: the host is killed at random moments of backups and restores, and started again on the same state. */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, dice, full, PATIENCE } from "../harness/faults.ts";
import type { RunStatus } from "../harness/run.ts";
import { bytes, bytesOf, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { expectBackedUp, expectSameOnDisk, startRig, type Rig } from "./rig.ts";

const KILLS = full ? 200 : 5;
/** Kills of one run; then it may end. */
const KILLS_OF_A_RUN = 4;
/** About as many requests as a run makes here. */
const REQUESTS = { backup: 200, restore: 160 };
/** A kill comes at most so long after the request that it is counted from, in milliseconds. */
const LATER = 30;

let rig: Rig;
let root: string;

beforeAll(async () => {
  rig = await startRig("kill-at-random", { env: { BACKUP_LARGE_FILE_MIB: "9", BACKUP_LIST_FILES: "30" } });
  root = await makeTree(`${rig.folder}/tree`, { ...manyFiles(60, 10), "large.bin": bytes(10 * 1024 * 1024) });
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

describe("row 1: SIGKILL of the host at random moments", () => {
  it(
    `${KILLS} kills of backups and restores: each completes, each file counts once`,
    async () => {
      const { seed, roll } = dice();
      const tree = await readTree(root);
      let [kills, runs] = [0, 0];
      for (let round = 0; kills < KILLS; round++) {
        const container = `killed-${round}`;
        const most = (part: number) => Math.min(KILLS_OF_A_RUN, Math.ceil((KILLS - kills) * part));
        const id = await rig.post("backupSiteContent", { root, container });
        const backup = await killing(id, most(0.6), roll, REQUESTS.backup);
        kills += backup.kills;
        await expectBackedUp(rig, { id, status: backup.status, root, container });

        const to = path.join(rig.folder, `restored-${round}`);
        const restoreId = await rig.post("restoreSiteContent", { run: id, to });
        const restore = await killing(restoreId, most(1), roll, REQUESTS.restore);
        kills += restore.kills;
        expect(restore.status.runtimeStatus).toBe("Completed");
        await expectSameOnDisk(root, to);
        // What was in its place before a kill and recorded after it counts as unchanged; each file counts once.
        const { counts } = restore.status.customStatus as { counts: Record<string, number> };
        expect((counts["copied"] ?? 0) + (counts["unchanged"] ?? 0)).toBe(tree.size);
        expect((counts["bytes"] ?? 0) + (counts["unchangedBytes"] ?? 0)).toBe(bytesOf(tree));
        runs += 2;
      }
      expect(kills).toBeGreaterThanOrEqual(KILLS);
      counted(1, { kills, runs, files: tree.size, seed });
    },
    PATIENCE,
  );
});
