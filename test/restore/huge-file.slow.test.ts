/**
 * Huge files, restored and verified by several activities, over HTTP: a host that is killed in the middle, content that
 * is damaged, and blobs that are overwritten while they are read.
 */
import { createHash, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createBudget } from "../../src/storage/budget.ts";
import type { GetBlobRequests } from "../../src/storage/get-blob-request.ts";
import { readSpan } from "../../src/store/files/stream-content.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { startStorageProxy, type StorageProxy, type StorageRequest } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { snapshotOf, temporary } from "./tree.ts";

const MIB = 1024 * 1024;
/** Ranges of a file that are fetched at a time. */
const AT_A_TIME = 4;
/** Two spans, if one range of the first takes all the time that a span has: so many requests, and one. */
const SIZE = AT_A_TIME * 8 * MIB + 7;
const SPAN_SECONDS = 1;
const spanTime = () => sleep(SPAN_SECONDS * 1000 + 100);

let azurite: TestStorage;
let proxy: StorageProxy;
let host: LocalHostProcess;
/** Past the proxy. */
let blobs: BlobServiceClient;
let root: string;
let content: Buffer;
/** The backup of a huge file and a small one. */
let backup: string;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  host = await startLocalHost({
    connectionString: proxy.connectionString,
    env: { BACKUP_LARGE_FILE_MIB: "1", BACKUP_LIST_SECONDS: String(SPAN_SECONDS) },
  });
  blobs = BlobServiceClient.fromConnectionString(azurite.connectionString);
  content = randomBytes(SIZE);
  root = await makeTree(await makeFolder("huge"), { huge: content, small: "small" });
  backup = (await run("backupSiteContent", { root, container: "huge" })).instanceId;
});
afterEach(() => {
  proxy.before = () => undefined;
});
afterAll(async () => {
  await host?.stop();
  await proxy?.stop();
  await azurite?.stop();
  if (root) rmSync(root, { recursive: true });
});

const run = async (orchestrator: string, body: unknown) =>
  await followRun((await postRun(host.url, orchestrator, body)).location);

function reads(container: string, blob: string) {
  return (request: StorageRequest) =>
    request.method === "GET" && request.container === container && request.blob === blob;
}

const isRead = reads("huge", "huge");

/** Lets the next span of the huge file end by its time; then asks `before` about each read. */
function endSpanByTime(before: (read: number) => "hang" | undefined = () => undefined): void {
  let read = 0;
  proxy.before = async (request) => {
    if (!isRead(request)) return undefined;
    const number = ++read;
    if (number === 1) await spanTime();
    return before(number);
  };
}

const instance = (id: string) => `${host.url}/runtime/webhooks/durabletask/instances/${id}?code=x`;

/** Activities of an orchestration that have ended. */
async function ended(id: string, activity: string): Promise<number> {
  const response = await fetch(`${instance(id)}&showHistory=true`);
  const { historyEvents = [] } = (await response.json()) as {
    historyEvents?: { EventType: string; FunctionName?: string }[];
  };
  return historyEvents.filter((it) => it.EventType === "TaskCompleted" && it.FunctionName === activity)
    .length;
}

test("a restore that is killed continues within the file, and counts each file once", async () => {
  let last = 0;
  endSpanByTime((read) => ((last = read) > AT_A_TIME ? "hang" : undefined));
  const to = temporary();
  const { id } = await postRun(host.url, "restoreSiteContent", { run: backup, to });
  // It was begun, and its first span is done; the second hangs.
  while (last <= AT_A_TIME || (await ended(`${id}:0:large-0`, "restoreLargeFile")) < 2) await sleep(50);
  expect((await readdir(to)).filter((name) => name.includes("huge"))).toEqual([]);
  await host.kill();

  const before = proxy.requests.length;
  proxy.before = () => undefined;
  host = await host.restart();
  const status = await followRun(instance(id));
  expect(status).toMatchObject({ runtimeStatus: "Completed", output: SIZE + 5 });
  const [restored, wanted] = await Promise.all([snapshotOf(to), snapshotOf(root)]);
  expect([...restored.keys()]).toEqual([...wanted.keys()]);
  // Not by toEqual, which would print them.
  expect(restored.get("huge") === wanted.get("huge")).toBe(true);
  expect(proxy.requests.slice(before).filter(isRead)).toHaveLength(1);
});

test("a restore that is canceled leaves nothing of a huge file that nobody will finish", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    proxy.before = (request) => {
      if (!isRead(request)) return undefined;
      resolve();
      return new Promise<void>((go) => {
        const before = release;
        release = () => (before(), go());
      });
    };
  });
  const to = temporary();
  const { id } = await postRun(host.url, "restoreSiteContent", { run: backup, to });
  await held;
  const halves = async () => (await readdir(to)).filter((name) => name.endsWith(".partial"));
  // Those of the small file, and of the look at how the file system takes names, come and go beside it.
  while ((await halves()).length !== 1) await sleep(50);
  expect((await fetch(`${host.url}/backups/${id}/cancel`, { method: "POST" })).status).toBe(200);
  await spanTime();
  proxy.before = () => undefined;
  release();
  while ((await halves()).length > 0) await sleep(50);
  expect(await readdir(to)).not.toContain("huge");
});

test("a huge file is verified by several activities; a bit that flipped in its last span is found", async () => {
  endSpanByTime();
  const good = await run("verifyBackup", { run: backup, readData: true });
  expect(good).toMatchObject({ runtimeStatus: "Completed", output: 2 });
  // Two spans, and the one that finds no further file.
  expect(await ended(`${good.instanceId}:0:large-0`, "verifyLargeFile")).toBe(3);

  const blob = blobs.getContainerClient("huge").getBlockBlobClient("huge");
  const damaged = Buffer.from(content);
  damaged[SIZE - 1]! ^= 1;
  await blob.uploadData(damaged);
  await blob.setHTTPHeaders({ blobContentMD5: createHash("md5").update(content).digest() });
  endSpanByTime();
  const bad = await run("verifyBackup", { run: backup, readData: true });
  expect(bad.runtimeStatus).toBe("Failed");
  expect(bad.output).toMatch(/1 of 2 files .*huge: corrupt: .*MD5/s);
});

test("a span is at most 128 MiB, which a kill costs", async () => {
  const length = 128 * MIB + 7;
  const item = { path: "huge", size: length, mtime: 0, mode: 0o600, md5: "", source: { length } };
  const requests = { read: async () => undefined } as unknown as GetBlobRequests;
  const reading = { requests, prefix: "", budget: createBudget(16, 64 * MIB) };
  const reached = await readSpan(
    { ...item, kind: "file" },
    { position: 0 },
    Infinity,
    reading,
    async () => undefined,
  );
  expect(reached?.position).toBe(128 * MIB);
});

test("of blobs overwritten meanwhile, what a snapshot keeps is restored, and what nothing keeps is named", async () => {
  const tree = await makeTree(temporary(), {
    kept: randomBytes(3 * MIB),
    lost: randomBytes(3 * MIB),
    fine: "fine",
  });
  const wanted = await snapshotOf(tree);
  const { instanceId: moves } = await run("backupSiteContent", { root: tree, container: "moves" });

  const container = blobs.getContainerClient("moves");
  const overwritten = new Set<string>();
  proxy.before = async (request) => {
    const { blob } = request;
    if ((blob !== "kept" && blob !== "lost") || !reads("moves", blob)(request) || overwritten.has(blob))
      return;
    overwritten.add(blob);
    if (blob === "kept") await container.getBlobClient(blob).createSnapshot();
    await container.getBlockBlobClient(blob).uploadData(randomBytes(3 * MIB));
  };
  const to = temporary();
  await writeFile(path.join(to, "lost"), "as it was");
  const status = await run("restoreSiteContent", { run: moves, to });
  expect([...overwritten].sort()).toEqual(["kept", "lost"]);
  expect(status.runtimeStatus).toBe("Failed");
  expect(status.output).toMatch(/1 of 3 files failed/);
  expect(status.output).toMatch(/lost: .*not in the container/);
  expect(await readFile(path.join(to, "lost"), "utf8")).toBe("as it was");
  const restored = await snapshotOf(to);
  expect([...restored.keys()].sort()).toEqual(["fine", "kept", "lost"]);
  for (const name of ["fine", "kept"]) expect(restored.get(name)).toBe(wanted.get(name));
  // The log has a line for each of them, and the one that failed by name.
  const told = host.logs().match(new RegExp(`event=.* run=${status.instanceId} .*`, "g")) ?? [];
  const once = (pattern: RegExp) => expect(told.filter((line) => pattern.test(line))).toHaveLength(1);
  once(/^event=large\.restored .* copied=1 /);
  once(/^event=file\.failed .*failure="lost: .*not in the container/);
});
