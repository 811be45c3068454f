/** What the rows run on: the built app on a real local host, and a real Azurite behind a proxy that makes faults. */
import { rm } from "node:fs/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { expect } from "vitest";
import type { Layout } from "../../src/model/names.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { expectSameTree, outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { startLocalHost, type LocalHostOptions, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun, type RunStatus } from "../harness/run.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { bytesOf, makeFolder, readTree } from "../harness/tree.ts";

export interface Rig {
  /** Past the proxy, so that looking does not count. */
  service: BlobServiceClient;
  proxy: StorageProxy;
  folder: string;
  /** Replaced by `restart`. */
  host: LocalHostProcess;
  restart(changes?: LocalHostOptions): Promise<void>;
  post(orchestrator: string, request: unknown): Promise<string>;
  /** Polls a run on whatever host there is then, until it has ended. */
  follow(id: string, withinMs?: number): Promise<RunStatus>;
  stop(): Promise<void>;
}

export async function startRig(
  name: string,
  options: LocalHostOptions = {},
  azurite: TestStorage = takeAccount(),
): Promise<Rig> {
  const proxy = await startStorageProxy(azurite);
  const folder = await makeFolder(name);
  const host = await startLocalHost({
    entry: "build",
    connectionString: proxy.connectionString,
    ...options,
    env: { BACKUP_ROOTS: folder, RESTORE_ROOTS: folder, ...options.env },
  });
  /** Where to poll a run, without the host's name. */
  const locations = new Map<string, string>();
  const rig: Rig = {
    service: BlobServiceClient.fromConnectionString(azurite.connectionString),
    proxy,
    folder,
    host,
    async restart(changes) {
      rig.host = await rig.host.restart(changes);
    },
    async post(orchestrator, request) {
      const { id, location } = await postRun(rig.host.url, orchestrator, request);
      const { pathname, search } = new URL(location);
      locations.set(id, `${pathname}${search}`);
      return id;
    },
    follow: (id, withinMs) => followRun(`${rig.host.url}${locations.get(id)}`, withinMs),
    async stop() {
      await rig.host.stop();
      await proxy.stop();
      await azurite.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

/** The run has completed, its blobs are the tree (in packs, restoring shows that), and its ledger has each file once. */
export async function expectBackedUp(
  rig: Rig,
  run: { id: string; status: RunStatus; root: string; container: string; layout?: Layout },
): Promise<void> {
  const tree = await readTree(run.root);
  const output = bytesOf(tree);
  expect(run.status).toMatchObject({ instanceId: run.id, runtimeStatus: "Completed", output });
  if (run.layout !== "packs")
    expectSameTree(await readBlobs(rig.service.getContainerClient(run.container)), tree, run.id);
  const ledger = await readLedger(rig.service, run.id);
  expect([...outcomesByPath(ledger).keys()].sort()).toEqual([...tree.keys()].sort());
  expect(ledger.counts).toMatchObject({ failed: 0, bytes: output });
  expect(ledger.run).toMatchObject({ status: "completed", counts: { failed: 0, bytes: output } });
}

/** Two trees are the same: names, contents, modes and times of files. */
export async function expectSameOnDisk(root: string, other: string): Promise<void> {
  const [wanted, there] = [await readTree(root), await readTree(other)];
  expect([...there.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [name, file] of wanted) {
    const twin = there.get(name)!;
    expect(twin.content.equals(file.content), `content of ${name}`).toBe(true);
    expect({ kind: twin.kind, mode: twin.mode }, name).toEqual({ kind: file.kind, mode: file.mode });
    expect(Math.abs(twin.mtimeMs - file.mtimeMs), `mtime of ${name}`).toBeLessThan(2);
  }
}
