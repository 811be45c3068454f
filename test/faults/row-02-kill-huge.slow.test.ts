/** Rows 2 and 4: the host is killed in the middle of a huge file, and between its commit and its record. */
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, full, PATIENCE } from "../harness/faults.ts";
import type { StorageRequest } from "../harness/storage-proxy.ts";
import { bytes, makeTree } from "../harness/tree.ts";
import { expectBackedUp, expectSameOnDisk, startRig, type Rig } from "./rig.ts";

const BLOCK = 8 * 1024 * 1024;
/** More than one range (of 16 blocks) in full. */
const BLOCKS = full ? 40 : 6;
const SIZE = BLOCKS * BLOCK - 1;

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("kill-huge", { env: { BACKUP_LARGE_FILE_MIB: "9" } });
});
afterAll(async () => {
  await rig?.stop();
});

const isBlock = ({ method, comp }: StorageRequest) => method === "PUT" && comp === "block";
const isCommit = ({ method, comp }: StorageRequest) => method === "PUT" && comp === "blocklist";
const isDone = ({ status = 0 }: StorageRequest) => status >= 200 && status < 300;

/** Kills the host when the `nth` of the requests that `picks` names has been done by storage. */
function killAfter(nth: number, picks: (request: StorageRequest) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0;
    rig.proxy.after = async (request) => {
      if (!picks(request) || ++seen !== nth) return undefined;
      await rig.host.kill().then(resolve, reject);
      return "drop";
    };
  });
}

describe("row 2: SIGKILL in the middle of a huge file", () => {
  it(
    "goes on: the bytes that are sent again are at most those that were in flight",
    async () => {
      const root = await makeTree(`${rig.folder}/huge`, { small: "small" });
      await writeFile(`${root}/huge.bin`, bytes(SIZE));
      const container = "huge";
      const killed = killAfter(Math.floor(BLOCKS / 2), isBlock);
      const id = await rig.post("backupSiteContent", { root, container });
      await killed;
      const first = rig.proxy.requests.filter(isBlock);
      const inFlight = first.filter((request) => !isDone(request)).length;
      const committed = killAfter(1, isCommit);
      await rig.restart();
      await committed;
      const sent = rig.proxy.requests.filter(isBlock).reduce((sum, request) => sum + request.bytes, 0);
      rig.proxy.after = () => undefined;
      await rig.restart();
      const status = await rig.follow(id, PATIENCE);

      await expectBackedUp(rig, { id, status, root, container });
      expect(first.length - inFlight).toBeGreaterThanOrEqual(Math.floor(BLOCKS / 2) - 1);
      expect(inFlight).toBeGreaterThan(0);
      expect(sent - SIZE).toBeLessThanOrEqual(inFlight * BLOCK);
      // Row 4: what was committed and not recorded is found, not sent again.
      const all = rig.proxy.requests.filter(isBlock).reduce((sum, request) => sum + request.bytes, 0);
      expect(all).toBe(sent);
      expect(rig.proxy.requests.filter((request) => isCommit(request) && isDone(request))).toHaveLength(0);
      counted(2, { bytes: SIZE, "blocks in flight at the kill": inFlight, "bytes sent again": sent - SIZE });
    },
    PATIENCE,
  );

  it(
    "goes on in the layout packs, too: chunks that are stored are not sent again",
    async () => {
      const root = await makeTree(`${rig.folder}/chunks`, { small: "small" });
      await writeFile(`${root}/huge.bin`, bytes(SIZE));
      const container = "chunks";
      const puts = (folder: string) => (request: StorageRequest) =>
        request.method === "PUT" && request.container === container && request.blob.startsWith(folder);
      const isChunk = puts("chunks/");
      const killed = killAfter(Math.floor(BLOCKS / 2), isChunk);
      const id = await rig.post("backupSiteContent", { root, container, layout: "packs" });
      await killed;
      const inFlight = rig.proxy.requests.filter((it) => isChunk(it) && !isDone(it)).length;
      const packed = killAfter(1, (request) => puts("packs/")(request) && request.blob.includes("-large"));
      await rig.restart();
      await packed;
      rig.proxy.after = () => undefined;
      await rig.restart();
      const status = await rig.follow(id, PATIENCE);

      expect(status).toMatchObject({ runtimeStatus: "Completed", output: SIZE + 5 });
      const sent = rig.proxy.requests.filter(isChunk);
      const stored = new Set(sent.map(({ blob }) => blob));
      expect(stored.size).toBeGreaterThan(BLOCKS);
      expect(sent.length - stored.size).toBeLessThanOrEqual(inFlight);
      const to = `${rig.folder}/restored`;
      await rig.follow(await rig.post("restoreSiteContent", { run: id, to }), PATIENCE);
      await expectSameOnDisk(root, to);
      counted(2, {
        bytes: SIZE,
        "chunks in flight at the kill": inFlight,
        "sent again": sent.length - stored.size,
      });
    },
    PATIENCE,
  );
});
