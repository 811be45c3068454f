/** Which run a restore of a time takes, and how little of the other runs it reads for that. */
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, it } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";

const OTHERS = 40;

let azurite: TestStorage;
let proxy: StorageProxy;
let host: LocalHostProcess;
let folder: string;
let records: ContainerClient;
let chosen: string;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  folder = await makeFolder("by-time");
  host = await startLocalHost({ entry: "build", connectionString: proxy.connectionString });
  records = azurite.service.getContainerClient("backup-runs");
  await copiesOf(await backup("old"), OTHERS);
  chosen = await backup("new");
});
afterAll(async () => {
  await host?.stop();
  await proxy?.stop();
  await azurite?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function backup(content: string): Promise<string> {
  const root = await makeTree(path.join(folder, "root"), { a: content });
  const { location } = await postRun(host.url, "backupSiteContent", { root });
  return (await followRun(location)).instanceId;
}

/** Many more runs like one that there is. */
async function copiesOf(run: string, many: number): Promise<void> {
  const [entry] = await entriesOf(run);
  const { metadata = {} } = await records.getBlobClient(entry!).getProperties();
  const summary = Buffer.from(metadata["summary"] ?? "", "base64").toString();
  const record = (await records.getBlobClient(`${run}/run.json`).downloadToBuffer()).toString();
  for (let index = 0; index < many; index++) {
    const id = `${String(index).padStart(4, "0")}${run.slice(4)}`;
    const put = async (name: string, body: string, more: object = {}) =>
      await records.getBlockBlobClient(name).upload(body, Buffer.byteLength(body), more);
    await put(`${id}/run.json`, record.replaceAll(run, id));
    const said = Buffer.from(summary.replaceAll(run, id)).toString("base64");
    await put(entry!.replace(run, id), "", { metadata: { summary: said } });
  }
}

async function entriesOf(run: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of records.listBlobsFlat({ prefix: "index/" }))
    if (name.includes(run)) names.push(name);
  return names;
}

/** Restores what there is now. @returns the content, and of how many runs the record was read */
async function restore() {
  const to = await makeFolder("to", folder);
  const since = proxy.requests.length;
  const { location } = await postRun(host.url, "restoreSiteContent", { at: new Date().toISOString(), to });
  const { instanceId, runtimeStatus, output } = await followRun(location);
  expect([runtimeStatus, output]).toEqual(["Completed", 3]);
  const read = proxy.requests
    .slice(since)
    .filter(({ method, blob }) => method === "GET" && /^[^/]+\/run\.json$/.test(blob))
    .map(({ blob }) => blob.split("/", 1)[0]!);
  const runs = new Set(read);
  runs.delete(instanceId);
  return { content: await readFile(path.join(to, "a"), "utf8"), runs: [...runs] };
}

it("reads the record of the run that it takes, and of no other", async () => {
  expect(await restore()).toEqual({ content: "new", runs: [chosen] });
});

it("reads the record where the index has no summary, and looks in the folders where there is no index", async () => {
  const [entry] = await entriesOf(chosen);
  await records.getBlobClient(entry!).setMetadata({ long: "true" });
  expect(await restore()).toEqual({ content: "new", runs: [chosen] });
  for await (const { name } of records.listBlobsFlat({ prefix: "index/" })) await records.deleteBlob(name);
  expect((await restore()).content).toBe("new");
});
