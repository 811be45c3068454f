/** The host is killed in the middle of a backup, at several exact moments, and started again on the same state. */
import { rm } from "node:fs/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { expectSameTree, outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postBackup, postRun } from "../harness/run.ts";
import {
  isWrite,
  startStorageProxy,
  type StorageProxy,
  type StorageRequest,
} from "../harness/storage-proxy.ts";
import { bytes, bytesOf, makeFolder, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { blobsNamedBy } from "../packs/reading.ts";

let azurite: TestStorage;
let proxy: StorageProxy;
let service: BlobServiceClient;
let folder: string;
let host: LocalHostProcess;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  // Past the proxy, so that looking does not count.
  service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  folder = await makeFolder("durability");
  host = await startLocalHost({
    entry: "build",
    connectionString: proxy.connectionString,
    env: { BACKUP_ROOTS: folder, BACKUP_LARGE_FILE_MIB: "10", BACKUP_LIST_FILES: "40" },
  });
});
afterAll(async () => {
  await host.stop();
  await proxy.stop();
  await azurite.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Moment {
  when: string;
  /** Before storage sees the request, or after it has done it and before the host hears of it. */
  hook: "before" | "after";
  picks: (request: StorageRequest) => boolean;
  /** So many that it would pick go by first. */
  skip?: number;
}

/** Kills the host at the request that the moment picks. Resolves when it has gone. */
function killAt({ hook, picks, skip = 0 }: Moment): Promise<void> {
  return new Promise((resolve, reject) => {
    let killed: Promise<void> | undefined;
    let left = skip;
    proxy.before = () => undefined;
    proxy.after = () => undefined;
    proxy[hook] = async (request) => {
      // What the dying host has under way besides may reach storage, as in life.
      if (killed !== undefined || !picks(request) || left-- > 0) return undefined;
      killed = host.kill();
      await killed.then(resolve, reject);
      return "drop";
    };
  });
}

/** The files of which the ledger says what became of them. */
async function settledFiles(run: string): Promise<Set<string>> {
  return new Set(outcomesByPath(await readLedger(service, run)).keys());
}

function uploads(container: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const request of proxy.requests) {
    if (request.container === container && isWrite(request))
      counts.set(request.blob, (counts.get(request.blob) ?? 0) + 1);
  }
  return counts;
}

const isRecord = ({ container, blob }: StorageRequest) =>
  container === "backup-runs" && blob.includes("/outcomes/");

/** Backs up on a host that is killed at these moments. @param look is called when it is dead */
async function backUpKilled(
  request: { root: string; container: string; layout?: string },
  moments: readonly Moment[],
  look: (id: string, moment: Moment) => Promise<void> = async () => {},
) {
  let killed = killAt(moments[0]!);
  const { id, location } = await postBackup(host.url, request);
  for (const [index, moment] of moments.entries()) {
    await killed;
    await look(id, moment);
    const next = moments[index + 1];
    if (next) killed = killAt(next);
    else proxy.before = proxy.after = () => undefined;
    host = await host.restart();
  }
  const { pathname, search } = new URL(location);
  return { id, status: await followRun(`${host.url}${pathname}${search}`) };
}

describe("kill -9 in the middle of a backup", () => {
  it("goes on where it was, seven times: everything is there once, and what was done is not done again", async () => {
    const container = "durability";
    const root = await makeTree(`${folder}/tree`, {
      ...manyFiles(400),
      "large.bin": bytes(11 * 1024 * 1024),
    });
    const tree = await readTree(root);
    const isData = (request: StorageRequest) => request.container === container && isWrite(request);
    const moments: Moment[] = [
      {
        when: "the list is to be written",
        hook: "before",
        picks: (request) => isWrite(request) && request.blob.includes("/lists/"),
      },
      {
        when: "the listing is written, but not known to be",
        hook: "after",
        picks: (request) => isWrite(request) && request.blob.endsWith("/lists/0.json"),
      },
      {
        when: "a file is to be sent",
        hook: "before",
        picks: isData,
        skip: 20,
      },
      {
        when: "a batch is to be recorded",
        hook: "before",
        picks: isRecord,
        skip: 3,
      },
      {
        when: "a batch is recorded, but not known to be",
        hook: "after",
        picks: isRecord,
        skip: 2,
      },
      {
        when: "most files are sent",
        hook: "before",
        picks: isData,
        skip: 60,
      },
      {
        when: "the run is to be closed",
        hook: "before",
        picks: (request) => isWrite(request) && request.blob.endsWith("/run.json"),
      },
    ];

    const done: { settled: Set<string>; before: Map<string, number>; when: string }[] = [];
    const { id, status } = await backUpKilled({ root, container }, moments, async (id, { when }) => {
      done.push({ when, settled: await settledFiles(id), before: uploads(container) });
    });

    expect(status).toMatchObject({ instanceId: id, runtimeStatus: "Completed", output: bytesOf(tree) });
    expectSameTree(await readBlobs(service.getContainerClient(container)), tree, id);
    const ledger = await readLedger(service, id);
    expect([...outcomesByPath(ledger).keys()].sort()).toEqual([...tree.keys()].sort());
    expect(ledger.counts).toMatchObject({ copied: tree.size, failed: 0, bytes: bytesOf(tree) });
    expect(ledger.run).toMatchObject({ status: "completed", counts: { copied: tree.size } });

    // The kills were where they should be: nothing recorded at first, everything at the end.
    expect(done.map(({ settled }) => settled.size)[0]).toBe(0);
    expect(done.at(-1)?.settled.size).toBe(tree.size);
    expect(done[4]?.settled.size).toBeGreaterThan(0);
    expect(done[4]?.settled.size).toBeLessThan(tree.size);
    const after = uploads(container);
    for (const { when, settled, before } of done) {
      for (const file of settled)
        expect(after.get(file), `${file}, done when ${when}`).toBe(before.get(file));
    }
    // Of what was not done, only batches that were under way at a kill are sent again, not all that is left each time.
    const total = [...after.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeLessThan(tree.size * 2);
  });

  it("in packs, between a chunk, its pack and the record: each file is there once, each chunk is sent once", async () => {
    const container = "durability-packs";
    const root = await makeTree(`${folder}/packs`, {
      ...manyFiles(60),
      "larger.bin": bytes(6 * 1024 * 1024),
      "large.bin": bytes(11 * 1024 * 1024, "large"),
    });
    const puts = (folder: string) => (request: StorageRequest) =>
      request.container === container && isWrite(request) && request.blob.startsWith(folder);
    const moments: Moment[] = [
      { when: "a chunk is stored, but not known to be", hook: "after", picks: puts("chunks/"), skip: 1 },
      { when: "a pack is to be written", hook: "before", picks: puts("packs/") },
      { when: "a pack is written, but not known to be", hook: "after", picks: puts("packs/") },
      { when: "a batch is to be recorded", hook: "before", picks: isRecord },
    ];
    let inFlight = 0;
    const { id, status } = await backUpKilled({ root, container, layout: "packs" }, moments, async () => {
      inFlight = proxy.requests.filter((it) => puts("chunks/")(it) && it.status === undefined).length;
    });

    const tree = await readTree(root);
    expect(status).toMatchObject({ instanceId: id, runtimeStatus: "Completed", output: bytesOf(tree) });
    const ledger = await readLedger(service, id);
    expect([...outcomesByPath(ledger).keys()].sort()).toEqual([...tree.keys()].sort());
    expect(ledger.counts).toMatchObject({ copied: tree.size, failed: 0, bytes: bytesOf(tree) });
    const chunks = [...uploads(container)].filter(([name]) => name.startsWith("chunks/"));
    const again = chunks.reduce((sum, [, count]) => sum + count - 1, 0);
    expect(again).toBeLessThanOrEqual(inFlight);

    const needed = await blobsNamedBy(service, id, container);
    const held = await readBlobs(service.getContainerClient(container));
    expect([...held.keys()]).toEqual(expect.arrayContaining(needed));
    // Of tries that were killed; the next prune deletes them.
    expect(held.size).toBeGreaterThan(needed.length);
    const { location } = await postRun(host.url, "verifyBackup", { run: id, readData: true });
    expect(await followRun(location)).toMatchObject({ runtimeStatus: "Completed", output: tree.size });
  });
});
