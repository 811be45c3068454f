/**
 * Two apps on one storage account, each with a durable engine of its own: a laptop beside the app in Azure. What runs in
 * one is nothing that the other's engine knows of, and must not be taken for dead.
 */
import { writeFileSync, renameSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { LAYOUTS } from "../../src/model/names.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import {
  isWrite,
  startStorageProxy,
  type StorageProxy,
  type StorageRequest,
} from "../harness/storage-proxy.ts";
import { makeFolder } from "../harness/tree.ts";
import { RecordsHost } from "./host.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

const HOUR = 3_600_000;

let folder: string;
let azurite: TestStorage;
/** What the first app's requests go through. */
let proxy: StorageProxy;
let ledgers: ContainerClient;
let first: RecordsHost;
/** Its clock is the test's to set. */
let second: RecordsHost;

beforeAll(async () => {
  folder = await makeFolder("other-app");
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  ledgers = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(
    "backup-runs",
  );
  // Activities in processes of their own: those are of the same app.
  first = await RecordsHost.start({ FUNCTIONS_WORKER_PROCESS_COUNT: "2" }, proxy.connectionString);
  const clock = {
    CLOCK_OFFSET_FILE: path.join(folder, "offset"),
    NODE_OPTIONS: `--import=${new URL("../faults/clock.mjs", import.meta.url).href}`,
  };
  second = await RecordsHost.start(clock, azurite.connectionString);
});
afterEach(() => {
  proxy.before = () => undefined;
  setClock(0);
});
afterAll(async () => {
  await first?.process.stop();
  await second?.process.stop();
  await proxy?.stop();
  await azurite?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** In one step, for the host reads it all the time. */
function setClock(offset: number): void {
  const file = path.join(folder, "offset");
  writeFileSync(`${file}.new`, String(offset));
  renameSync(`${file}.new`, file);
}

/** Holds the first app's requests of a kind. @returns when one is held, and what lets them go */
function hold(which: (request: StorageRequest) => boolean): { held: Promise<void>; release: () => void } {
  let release = () => {};
  const gate = new Promise<void>((open) => (release = open));
  const held = new Promise<void>((resolve) => {
    proxy.before = async (request) => {
      if (!which(request)) return;
      resolve();
      await gate;
    };
  });
  return { held, release: () => release() };
}

/** Holds what the first app writes of files' content into a container. */
function holdWriting(container: string) {
  return hold((seen) => seen.container === container && isWrite(seen) && !seen.blob.endsWith("format.json"));
}

/** What the second app answers to a POST. */
async function post(route: string, body?: unknown) {
  const { status, text } = await second.fetch(route, {
    method: "POST",
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  return {
    status,
    ...(JSON.parse(text) as { detail?: string; activeRun?: string; app?: string; id?: string }),
  };
}

/** What the second app answers about a run's tree. */
async function read(run: string, what: string) {
  const { status, text } = await second.fetch(`/backups/${run}/${what}`);
  return { status, text, ...(what === "tree" ? { json: JSON.parse(text) as object } : {}) };
}

test.each(LAYOUTS)(
  "a backup that runs in another app is shown as running, and is in the way until it ends there: %s",
  async (layout) => {
    const container = `busy-${layout}`;
    const place = { root: temporary(), container, prefix: "one", layout };
    await write(place.root, { a: "content" });
    const writing = holdWriting(container);
    const id = await first.start(place);
    await writing.held;
    const { app } = await first.run(id);
    expect(app).toMatch(/^[a-z0-9-]{1,32}$/);

    // Its claim is honoured for a minute whatever it is.
    setClock(2 * HOUR);
    expect(await second.run(id)).toMatchObject({ status: "running", app });
    expect(await read(id, "tree")).toMatchObject({ status: 200, json: { entries: [] } });
    expect(await read(id, "content?path=a")).toMatchObject({
      status: 404,
      text: expect.stringContaining("so far") as string,
    });
    const there = expect.stringContaining(`in the app ${app}`) as string;
    expect(await post("/orchestrators/backupSiteContent", place)).toMatchObject({
      status: 409,
      detail: there,
      activeRun: id,
    });
    expect(
      await post("/orchestrators/pruneBackups", { container, prefix: "one", keepLast: 1 }),
    ).toMatchObject({
      status: 409,
      detail: there,
      activeRun: id,
    });
    for (const [orchestrator, more] of [
      ["restoreSiteContent", { to: temporary() }],
      ["verifyBackup", {}],
    ] as const)
      expect(await post(`/orchestrators/${orchestrator}`, { run: id, ...more })).toMatchObject({
        status: 409,
        detail: expect.stringContaining(id) as string,
        activeRun: id,
      });

    // Not in that of another destination in the same container.
    const beside = await second.backUp({ ...place, prefix: "two" });
    expect(beside).toMatchObject({ status: "completed", counts: { copied: 1 } });

    writing.release();
    expect(await first.ended(id)).toMatchObject({ status: "completed", counts: { copied: 1 } });
    // What was read of it before is not kept.
    expect(await read(id, "tree")).toMatchObject({ json: { entries: [{ name: "a", outcome: "copied" }] } });
    expect(await read(id, "content?path=a")).toMatchObject({ status: 200, text: "content" });
    expect(await second.backUp(place)).toMatchObject({ status: "completed" });
    for (const run of [id, beside.id]) {
      const to = temporary();
      const restore = await second.start({ run, to }, "restoreSiteContent");
      expect(await second.ended(restore)).toMatchObject({ status: "completed", counts: { copied: 1 } });
      expect(await snapshotOf(to)).toEqual(await snapshotOf(place.root));
    }
  },
);

test.each(LAYOUTS)(
  "a backup that runs in another app can be canceled: it does no more, and is not in the way: %s",
  async (layout) => {
    const container = `canceled-${layout}`;
    const place = { root: temporary(), container, layout };
    await write(place.root, { a: "old" });
    const writing = holdWriting(container);
    const id = await first.start(place);
    await writing.held;
    setClock(2 * HOUR);
    expect(await post(`/backups/${id}/cancel`)).toMatchObject({ status: "canceled" });
    await writeFile(path.join(place.root, "a"), "newer");
    const next = await second.backUp(place);
    expect(next).toMatchObject({ status: "completed", counts: { copied: 1 } });

    proxy.before = () => undefined;
    writing.release();
    expect(await first.ended(id)).toMatchObject({ status: "canceled" });
    const to = temporary();
    await second.ended(await second.start({ run: next.id, to }, "restoreSiteContent"));
    expect(await readFile(path.join(to, "a"), "utf8")).toBe("newer");
  },
);

test.each(LAYOUTS)("a prune leaves what another app is restoring: %s", async (layout) => {
  const place = { root: temporary(), container: `read-${layout}`, layout };
  await write(place.root, { a: "one" });
  const wanted = await snapshotOf(place.root);
  const old = await first.backUp(place);
  await writeFile(path.join(place.root, "a"), "second");
  await first.backUp(place);
  const reading = hold(
    ({ method, container, blob }) =>
      method === "GET" && container === place.container && blob !== "" && blob !== "format.json",
  );
  const to = temporary();
  const restore = await first.start({ run: old.id, to }, "restoreSiteContent");
  await reading.held;

  const prune = await second.start({ container: place.container, keepLast: 1 }, "pruneBackups");
  expect(await second.ended(prune)).toMatchObject({ status: "completed" });
  expect((await second.files(prune, "?outcome=unchanged")).files).toContainEqual(
    expect.objectContaining({
      path: `backup-runs/${old.id}`,
      reason: expect.stringContaining("being read") as string,
    }),
  );
  reading.release();
  expect(await first.ended(restore)).toMatchObject({ status: "completed", counts: { copied: 1 } });
  expect(await snapshotOf(to)).toEqual(wanted);
});

test("a run of another app of which nothing was written for a day is taken to have died", async () => {
  const place = { root: temporary(), container: "silent" };
  await write(place.root, { a: "content" });
  const writing = holdWriting("silent");
  const id = await first.start(place);
  await writing.held;
  // The run began more than a day ago, but something was written of it an hour ago.
  setClock(23 * HOUR);
  const record = ledgers.getBlockBlobClient(`${id}/run.json`);
  const text = (await record.downloadToBuffer()).toString();
  const { started } = JSON.parse(text) as { started: string };
  const earlier = text.replace(started, new Date(Date.parse(started) - 2 * HOUR).toISOString());
  await record.upload(earlier, earlier.length);
  expect(await second.run(id)).toMatchObject({ status: "running" });
  setClock(25 * HOUR);
  expect(await second.run(id)).toMatchObject({
    status: "failed",
    message: expect.stringContaining("24 hours") as string,
  });
  expect(await post(`/backups/${id}/cancel`)).toMatchObject({
    status: 409,
    detail: expect.stringContaining("has ended already: failed") as string,
  });
  expect(await post("/orchestrators/backupSiteContent", place)).toMatchObject({ status: 202 });
  await first.fetch(`/backups/${id}/cancel`, { method: "POST" });
  writing.release();
});

test.each(LAYOUTS)(
  "a prune of another app is waited for while it holds the lock, and an hour longer: %s",
  async (layout) => {
    const pruned = `pruned-${layout}`;
    const place = { root: temporary(), container: pruned, layout };
    await write(place.root, { a: "one" });
    await first.backUp(place);
    await writeFile(path.join(place.root, "a"), "second");
    await first.backUp(place);
    const deleting = hold(({ method, container }) => method === "DELETE" && container === pruned);
    const prune = await first.start({ container: pruned, keepLast: 1 }, "pruneBackups");
    await deleting.held;
    const refused = { status: 409, detail: expect.stringContaining(`The prune ${prune}`) as string };
    expect(await post("/orchestrators/backupSiteContent", place)).toMatchObject(refused);
    // As a minute later.
    await ledgers.getBlobClient(`prunes/${pruned}.json`).getBlobLeaseClient().breakLease(0);
    setClock(HOUR / 2);
    expect(await post("/orchestrators/backupSiteContent", place)).toMatchObject({
      ...refused,
      activeRun: prune,
    });
    setClock(2 * HOUR);
    const { status, id = "" } = await post("/orchestrators/backupSiteContent", place);
    expect(status).toBe(202);
    await second.ended(id);
    deleting.release();
    await first.ended(prune);
  },
);

test("an app keeps its name when it is started again", async () => {
  const place = { root: temporary(), container: "again" };
  await write(place.root, { a: "content" });
  const { app, id } = await second.backUp(place);
  const own = ledgers.getBlockBlobClient(`${id}/run.json`);
  expect(JSON.parse((await own.downloadToBuffer()).toString())).toMatchObject({ app });
  expect(app).not.toBe((await first.backUp({ ...place, container: "another" })).app);
  await second.process.kill();
  const again = await second.process.restart();
  try {
    const answer = await fetch(`${again.url}/orchestrators/backupSiteContent`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(place),
    });
    const started = ((await answer.json()) as { id: string }).id;
    let run = { app: "", status: "" };
    while (run.status !== "completed") {
      await sleep(50);
      run = (await (await fetch(`${again.url}/backups/${started}`)).json()) as typeof run;
    }
    expect(run.app).toBe(app);
  } finally {
    await again.stop();
  }
});
