/** A tree that no one orchestration lists: with a low limit, a small tree is divided as one of millions of files is. */
import { rm } from "node:fs/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSameTree, outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postBackup, type RunStatus } from "../harness/run.ts";
import { bytesOf, chain, makeFolder, makeTree, manyFiles, readTree, type TreeSpec } from "../harness/tree.ts";

let host: LocalHostProcess;
let folder: string;

beforeAll(async () => {
  folder = await makeFolder("big-tree");
  host = await startLocalHost({
    entry: "build",
    env: { BACKUP_LIST_FILES: "50", BACKUP_ROOTS: folder },
  });
});
afterAll(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Instance {
  name: string;
  instanceId: string;
  runtimeStatus: string;
  input: unknown;
  output: unknown;
  historyEvents: Record<string, unknown>[];
}

/** All orchestrations of a run, each with its history. */
async function instancesOf(location: string, run: string): Promise<Instance[]> {
  const of = async (id: string): Promise<Instance> => {
    const url = new URL(location.replace(run, encodeURIComponent(id)));
    url.searchParams.set("showHistory", "true");
    url.searchParams.set("showHistoryOutput", "true");
    url.searchParams.set("showInput", "true");
    return (await (await fetch(url)).json()) as Instance;
  };
  const { names } = await readLedger(BlobServiceClient.fromConnectionString(host.connectionString), run);
  const parts = names.flatMap((name) => /^lists\/(\d+(?:\.\d+)*)\.json$/.exec(name)?.[1] ?? []);
  return await Promise.all(parts.map((part) => of(part === "0" ? run : `${run}:${part}`)));
}

describe("the tree of orchestrations", () => {
  it("600 files, one directory of 300, a chain 40 deep: all once, histories and messages small", async () => {
    const wide: TreeSpec = {};
    for (let index = 0; index < 300; index++) wide[`wide/file${index}`] = `wide ${index}`;
    const root = await makeTree(`${folder}/tree`, { ...manyFiles(260, 20), ...wide, ...chain(40) });
    const tree = await readTree(root);
    expect(tree.size).toBe(600);
    const { id, location } = await postBackup(host.url, { root, container: "big-tree" });
    const status: RunStatus = await followRun(location);
    expect(status).toMatchObject({ runtimeStatus: "Completed", output: bytesOf(tree) });

    const service = BlobServiceClient.fromConnectionString(host.connectionString);
    expectSameTree(await readBlobs(service.getContainerClient("big-tree")), tree, id);
    const outcomes = outcomesByPath(await readLedger(service, id));
    expect([...outcomes.keys()].sort()).toEqual([...tree.keys()].sort());
    expect([...outcomes.values()].every(({ outcome }) => outcome === "copied")).toBe(true);

    const instances = await instancesOf(location, id);
    // The tree was divided: into several parts, but not into a part a file.
    expect(instances.length).toBeGreaterThan(8);
    expect(instances.length).toBeLessThan(100);
    for (const instance of instances) {
      const { name, instanceId, runtimeStatus, input, output, historyEvents } = instance;
      expect({ instanceId, name, runtimeStatus }).toEqual({
        instanceId,
        name: "backupSiteContent",
        runtimeStatus: "Completed",
      });
      expect(historyEvents.length, `events of ${instanceId}`).toBeGreaterThan(2);
      expect(historyEvents.length, `events of ${instanceId}`).toBeLessThan(500);
      for (const payload of [input, output, ...historyEvents]) {
        expect(JSON.stringify(payload).length, `a payload of ${instanceId}`).toBeLessThan(45_000);
      }
    }
    const fanOut = instances.map(
      ({ historyEvents }) =>
        historyEvents.filter((event) => event["FunctionName"] === "copyFileToBlob").length,
    );
    expect(Math.max(...fanOut)).toBeLessThanOrEqual(64);
  });

  it("is as deep as the logarithm of the tree, not as the tree: one directory of 1,000 files", async () => {
    const wide: TreeSpec = {};
    for (let index = 0; index < 1000; index++) wide[`file${index}`] = "";
    const root = await makeTree(`${folder}/wide`, wide);
    const { id, location } = await postBackup(host.url, { root, container: "wide" });
    expect(await followRun(location)).toMatchObject({ runtimeStatus: "Completed", output: 0 });
    const { names, counts } = await readLedger(
      BlobServiceClient.fromConnectionString(host.connectionString),
      id,
    );
    expect(counts["copied"]).toBe(1000);
    const depths = names.flatMap(
      (name) => /^lists\/(\d+(?:\.\d+)*)\.json$/.exec(name)?.[1]?.split(".").length ?? [],
    );
    expect(Math.max(...depths)).toBeLessThanOrEqual(3);
  });
});
