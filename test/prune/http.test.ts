/** Pruning as its users have it: over HTTP, on the local host. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { isWrite, startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";
import { RecordsHost } from "../api/host.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

let azurite: TestStorage;
let proxy: StorageProxy;
let host: RecordsHost;
/** Past the proxy. */
let ledgers: ContainerClient;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  host = await RecordsHost.start({}, proxy.connectionString);
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  ledgers = service.getContainerClient("backup-runs");
});
afterEach(() => {
  proxy.before = () => undefined;
});
afterAll(async () => {
  await host?.process.stop();
  await proxy?.stop();
  await azurite?.stop();
});

function post(orchestrator: string, body: unknown) {
  return host.fetch(`/orchestrators/${orchestrator}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Backs up, and gives the run once the next one may begin. */
async function backUp(body: unknown) {
  const id = await host.start(body);
  await host.status(id);
  return await host.run(id);
}

test("three backups, a dry run, a prune, what is left to list and to restore", async () => {
  const root = temporary();
  const place = { root, container: "site" };
  await write(root, { same: "same", changes: "one" });
  const first = await backUp(place);
  await writeFile(path.join(root, "changes"), "second");
  const wanted = await snapshotOf(root);
  const second = await backUp({ ...place, mode: "incremental" });
  await write(root, { changes: "3", later: "later" });
  const third = await backUp({ ...place, mode: "incremental" });

  const request = { container: "site", keepLast: 2 };
  const dry = await host.start({ ...request, dryRun: true }, "pruneBackups");
  const told = await host.status(dry);
  expect(told).toMatchObject({
    runtimeStatus: "Completed",
    customStatus: {
      phase: "completed",
      dryRun: true,
      runs: { kept: 2, forgotten: 1 },
      counts: { deleted: 2, unchanged: 2 },
    },
  });
  expect(await host.run(dry)).toMatchObject({
    kind: "prune",
    dryRun: true,
    status: "completed",
    bytes: told.output,
  });
  const going = await host.files(dry, "?outcome=deleted");
  expect(going.files.map(({ path: name, reason }) => [name, reason?.split(",")[0]])).toEqual([
    ["changes", expect.stringMatching(/^would be: .*snapshot/)],
    [`backup-runs/${first.id}`, expect.stringMatching(new RegExp(`^would be: .*record .*${first.started}`))],
  ]);
  expect((await host.runs()).runs.map(({ id }) => id)).toEqual([third.id, second.id, first.id]);

  const prune = await host.start(request, "pruneBackups");
  expect(await host.status(prune)).toMatchObject({ runtimeStatus: "Completed", output: told.output });
  expect(await host.run(prune)).toMatchObject({ kind: "prune", counts: { deleted: 2 }, bytes: told.output });
  expect((await host.runs()).runs.map(({ id }) => id)).toEqual([third.id, second.id]);
  expect((await host.runs("?kind=prune")).runs.map(({ id }) => id)).toEqual([prune, dry]);

  const to = temporary();
  expect(await host.status(await host.start({ run: second.id, to }, "restoreSiteContent"))).toMatchObject({
    runtimeStatus: "Completed",
  });
  expect(await snapshotOf(to)).toEqual(wanted);
  expect((await host.fetch(`/backups/${first.id}`)).status).toBe(404);
  const gone = await post("restoreSiteContent", { run: first.id, to });
  expect(gone.status).toBe(404);
  expect(gone.json()).toMatchObject({ status: 404, detail: expect.stringMatching(`${first.id} .*prune`) });
  // The lock is free again.
  expect(await backUp(place)).toMatchObject({ status: "completed" });
});

/** Makes a run one that ended two hours ago, by its record. */
async function backdate(run: string): Promise<void> {
  const blob = ledgers.getBlockBlobClient(`${run}/run.json`);
  const record = JSON.parse((await blob.downloadToBuffer()).toString("utf8")) as object;
  const finished = new Date(Date.now() - 7_200_000).toISOString();
  const body = JSON.stringify({ ...record, finished });
  await blob.upload(body, Buffer.byteLength(body));
}

test("runs that failed or were canceled are there until a prune forgets them, and then are not", async () => {
  const root = temporary();
  const place = { root, container: "ended" };
  await write(root, { fine: "fine", "bad.": "no blob can have this name" });
  const failed = await backUp(place);
  expect(failed.status).toBe("failed");
  // While it writes its first blob.
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    proxy.before = (request) => {
      if (request.container !== "ended" || !isWrite(request)) return undefined;
      resolve();
      return new Promise<void>((go) => (release = go));
    };
  });
  await write(root, { later: "later" });
  const canceled = await host.start(place);
  await held;
  const early = await post("pruneBackups", { container: "ended", keepLast: 1 });
  expect(early.status).toBe(409);
  expect(early.json()).toMatchObject({
    activeRun: canceled,
    detail: expect.stringContaining(` ${canceled} `),
  });
  expect((await host.fetch(`/backups/${canceled}/cancel`, { method: "POST" })).status).toBe(200);
  release();
  proxy.before = () => undefined;
  await backdate(canceled);
  await rm(path.join(root, "bad."));
  const completed = await backUp(place);
  expect(completed.status).toBe("completed");
  const all = [failed.id, canceled];
  for (const id of all) expect((await host.fetch(`/backups/${id}`)).status).toBe(200);

  const prune = await host.status(await host.start({ container: "ended", keepLast: 1 }, "pruneBackups"));
  expect(prune).toMatchObject({ customStatus: { runs: { kept: 1, forgotten: 2 } } });
  for (const id of all) {
    for (const [method, below] of [
      ["GET", ""],
      ["GET", "/files"],
      ["POST", "/cancel"],
    ] as const) {
      const answer = await host.fetch(`/backups/${id}${below}`, { method });
      expect([answer.status, answer.text]).toEqual([404, expect.stringMatching(/no run/)]);
    }
    // Though the engine has its orchestration yet.
    expect(await host.status(id)).toHaveProperty("runtimeStatus");
  }
});

test("a run whose record cannot be written is not started", async () => {
  proxy.before = ({ method, blob }) =>
    method === "PUT" && blob.endsWith("/run.json") ? FORBIDDEN : undefined;
  const answer = await post("backupSiteContent", { root: temporary(), container: "unrecorded" });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([503, "application/problem+json"]);
  expect((await host.runs("?container=unrecorded")).runs).toEqual([]);
});

test("a prune that is canceled deletes no more, keeps backups out until nothing can, and the next one finishes", async () => {
  const root = temporary();
  const place = { root, container: "stopped" };
  const files = (content: string) =>
    Object.fromEntries(Array.from({ length: 80 }, (_none, index) => [`f${index}`, `${content} ${index}`]));
  await write(root, files("first"));
  const first = await backUp(place);
  await write(root, files("second"));
  const second = await backUp(place);
  const wanted = await snapshotOf(root);

  const deletes = () =>
    proxy.requests.filter(({ method, container }) => method === "DELETE" && container === "stopped").length;
  let release = () => {};
  const held = new Promise<void>((go) => (release = go));
  proxy.before = ({ method, container }) =>
    method === "DELETE" && container === "stopped" ? held : undefined;
  const request = { container: "stopped", keepLast: 1 };
  const prune = await host.start(request, "pruneBackups");
  while (deletes() === 0) await sleep(20);
  const answer = await host.fetch(`/backups/${prune}/cancel`, { method: "POST" });
  expect(answer.json()).toMatchObject({ id: prune, kind: "prune", status: "canceled" });
  expect(await host.status(prune)).toMatchObject({ runtimeStatus: "Terminated" });
  // What the activity knows of it is a second old at most.
  await sleep(1_100);
  release();
  for (const [orchestrator, body] of [
    ["backupSiteContent", place],
    ["pruneBackups", request],
  ] as const) {
    const refused = await post(orchestrator, body);
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining(prune)]);
  }
  while (((await host.run(prune)).counts?.deleted ?? 0) === 0) await sleep(20);
  const { counts } = await host.run(prune);
  expect(counts?.deleted).toBe(deletes());
  expect(deletes()).toBeLessThan(80);
  expect(await host.run(first.id)).toMatchObject({ forgotten: prune });

  // As a minute later.
  await ledgers.getBlobClient("prunes/stopped.json").getBlobLeaseClient().breakLease(0);
  expect(await host.status(await host.start(request, "pruneBackups"))).toMatchObject({
    runtimeStatus: "Completed",
    customStatus: { runs: { kept: 1, forgotten: 1 } },
  });
  expect(deletes()).toBe(80);
  expect((await host.fetch(`/backups/${first.id}`)).status).toBe(404);
  const to = temporary();
  await host.status(await host.start({ run: second.id, to }, "restoreSiteContent"));
  expect(await snapshotOf(to)).toEqual(wanted);
});

test.each([
  [{}, "keepLast"],
  [{ keepLast: 0, keepDaily: 0 }, "keepLast"],
  [{ keepLast: -1 }, '"keepLast": '],
  [{ keepWithin: "soon" }, '"keepWithin": '],
  [{ keepLast: 1, keepForever: 1 }, 'unknown field "keepForever"'],
  ["all", "a JSON object"],
  [{ keepLast: 1, container: "backup-runs" }, '"container"'],
])("%j is answered 400", async (body, detail) => {
  const answer = await post("pruneBackups", body);
  expect(answer.status).toBe(400);
  expect((answer.json() as { detail: string }).detail).toContain(detail);
});
