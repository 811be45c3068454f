/** A run's record is opened before its orchestration is started: what comes of it when something happens in between. */
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { start } from "../../src/api/start.ts";
import type { RunRecord } from "../../src/ledger/run-record.ts";
import { readSettings } from "../../src/settings.ts";
import { createBudget } from "../../src/storage/budget.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { newRun } from "../harness/domain.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { clientOf } from "./durable-client.ts";
import { ENGINE, RecordsHost } from "./host.ts";

let azurite: TestStorage;
let proxy: StorageProxy;
let ledgers: ContainerClient;
let folder: string;
beforeAll(async () => {
  folder = await makeFolder("starter");
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  ledgers = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(
    "backup-runs",
  );
});
afterAll(async () => {
  await proxy.stop();
  await azurite.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Changes a JSON blob of the ledgers' container. */
async function change(name: string, values: object): Promise<void> {
  const blob = ledgers.getBlockBlobClient(name);
  const body = JSON.stringify({ ...JSON.parse((await blob.downloadToBuffer()).toString()), ...values });
  await blob.upload(body, body.length);
}

const LONG_AGO = new Date(Date.now() - 5 * 60_000).toISOString();

describe("a host that is killed between the record and the orchestration", () => {
  let host: RecordsHost;
  let root: string;
  let run: string;
  beforeAll(async () => {
    root = await makeTree(path.join(folder, "root"), { a: "a" });
    const first = await RecordsHost.start({}, proxy.connectionString);
    const opened = new Promise<string>((resolve) => {
      proxy.after = ({ method, blob }) => {
        if (method !== "PUT" || !blob.startsWith("index/")) return undefined;
        resolve(blob.replace(/^index\/\d+-/, ""));
        return new Promise<void>(() => undefined);
      };
    });
    const answer = first.start({ root }).catch(() => undefined);
    run = await opened;
    host = await first.restart();
    if ((await answer) !== undefined) throw new Error("The start was answered.");
    proxy.after = () => undefined;
  });
  afterAll(() => host.process.stop());

  it("leaves a run that is being started for a minute, and then one that failed", async () => {
    expect((await host.fetch(`${ENGINE}/${run}`)).status).toBe(404);
    expect(await host.run(run)).toMatchObject({ status: "running" });
    await change(`${run}/run.json`, { started: LONG_AGO });
    expect(await host.run(run)).toMatchObject({ status: "failed", message: expect.stringMatching(/began/) });
    expect((await host.runs()).runs).toMatchObject([{ id: run, status: "failed" }]);
  });

  it("leaves the destination to the next backup, and a prune closes the record", async () => {
    const busy = await host.fetch("/orchestrators/backupSiteContent", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ root }),
    });
    expect([busy.status, busy.json()]).toMatchObject([409, { activeRun: run }]);
    for await (const { name } of ledgers.listBlobsFlat({ prefix: "destinations/" }))
      await change(name, { since: LONG_AGO });
    expect(await host.backUp({ root })).toMatchObject({ status: "completed" });
    const prune = await host.ended(await host.start({ keepLast: 1 }, "pruneBackups"));
    expect(prune).toMatchObject({ status: "completed" });
    expect((await host.runs("?kind=all")).runs.map(({ status }) => status)).not.toContain("running");
  });

  it("knows nothing of a run that is started past it, until that has opened its record", async () => {
    const id = newRun();
    let release = () => {};
    const opening = new Promise<void>((resolve) => {
      proxy.before = ({ method, blob }) => {
        if (method !== "PUT" || blob !== `${id}/run.json`) return undefined;
        resolve();
        return new Promise<void>((go) => (release = go));
      };
    });
    const webhook = ENGINE.replace("instances", "orchestrators");
    const body = JSON.stringify({ root, container: "past-the-starter" });
    const answer = await host.fetch(`${webhook}/backupSiteContent/${id}`, { method: "POST", body });
    expect(answer.status).toBe(202);
    await opening;
    for (const [address, method] of [
      [`/backups/${id}`, "GET"],
      [`/backups/${id}/cancel`, "POST"],
    ] as const)
      expect((await host.fetch(address, { method })).status, address).toBe(404);
    proxy.before = () => undefined;
    release();
    expect((await host.status(id)).runtimeStatus).toBe("Completed");
    expect(await host.run(id)).toMatchObject({ status: "completed" });
  });
});

describe("an engine that does not take a run", () => {
  let engine: Server;
  let url: string;
  /** What it answers to a start, and to the question whether there is such an instance. */
  let answers: { start: number; status: number };
  beforeAll(async () => {
    engine = createServer((request, response) => {
      response.statusCode = request.method === "POST" ? answers.start : answers.status;
      const [createdTime, lastUpdatedTime] = ["2026-11-27T07:00:00Z", "2026-11-27T07:00:01Z"];
      const running = { name: "n", instanceId: "i", runtimeStatus: "Running", input: null, output: null };
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ ...running, createdTime, lastUpdatedTime }));
    });
    await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}/`;
  });
  afterAll(() => engine.close());

  it.each([
    ["refuses it: the record says that it failed", { start: 500, status: 404 }, false, "failed"],
    ["has it all the same: it continues", { start: 500, status: 200 }, false, "running"],
    [
      "refuses what is tried again with the same id: it is open",
      { start: 500, status: 404 },
      true,
      "running",
    ],
  ])("%s", async (_what, given, isRetried, status) => {
    answers = given;
    const settings = readSettings({ BackupStorage: azurite.connectionString });
    const services = { settings, storage: azurite.service, budget: createBudget(1, 1024) };
    const instanceId = newRun();
    const how = { instanceId, client: clientOf(url), services, isRetried };
    const body = { root: folder, container: `c-${instanceId}` };
    await expect(start("backupSiteContent", body, how)).rejects.toThrow("500");
    const record = await ledgers.getBlobClient(`${instanceId}/run.json`).downloadToBuffer();
    expect(JSON.parse(record.toString()) as RunRecord).toMatchObject({ status, container: body.container });
  });

  it("a new destination has the layout of BACKUP_LAYOUT, unless its request names one", async () => {
    answers = { start: 500, status: 404 };
    const settings = readSettings({ BackupStorage: azurite.connectionString, BACKUP_LAYOUT: "packs" });
    const services = { settings, storage: azurite.service, budget: createBudget(1, 1024) };
    for (const [named, layout] of [
      [{}, "packs"],
      [{ layout: "files" }, undefined],
    ] as const) {
      const instanceId = newRun();
      const body = { root: folder, container: `c-${instanceId}`, ...named };
      const how = { instanceId, client: clientOf(url), services };
      await expect(start("backupSiteContent", body, how)).rejects.toThrow("500");
      const record = await ledgers.getBlobClient(`${instanceId}/run.json`).downloadToBuffer();
      expect((JSON.parse(record.toString()) as RunRecord).layout).toBe(layout);
    }
  });
});
