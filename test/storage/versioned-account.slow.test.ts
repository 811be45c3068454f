/**
 * An account that keeps versions by itself: history is left to it. The account is a fake before Azurite
 * (../harness/fake-versioned-account.ts); the app is the real one, over HTTP.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { newRun } from "../harness/domain.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { openRun } from "../../src/ledger/runs.ts";
import { readSettings } from "../../src/settings.ts";
import { connectAll } from "../../src/storage/connect.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startFakeVersionedAccount, type FakeVersionedAccount } from "../harness/fake-versioned-account.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { inMicroseconds, makeTree, readTree } from "../harness/tree.ts";
import { Drive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

const CONTAINER = "site";

let azurite: TestStorage;
let account: FakeVersionedAccount;
let service: BlobServiceClient;
let host: LocalHostProcess;

beforeAll(async () => {
  azurite = takeAccount();
  account = await startFakeVersionedAccount(azurite);
  service = BlobServiceClient.fromConnectionString(account.connectionString);
  host = await startLocalHost({
    connectionString: account.connectionString,
    env: { BACKUP_LARGE_FILE_MIB: "1" },
  });
});
afterAll(async () => {
  await host?.stop();
  await account?.stop();
  await azurite?.stop();
});

async function run(orchestrator: string, body: unknown) {
  return await followRun((await postRun(host.url, orchestrator, body)).location);
}

/** The runs that wrote each version of the blobs, oldest first; the current one is marked. */
async function versions(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const container = service.getContainerClient(CONTAINER);
  for await (const blob of container.listBlobsFlat({ includeVersions: true, includeMetadata: true })) {
    const run = `${blob.metadata?.["run"]}${blob.isCurrentVersion ? " now" : ""}`;
    (found[blob.name] ??= []).push(run);
  }
  return found;
}

/** Where a restore or a verification found the content of a file, by its ledger. */
async function sourceOf(instance: string, file: string): Promise<unknown> {
  const container = service.getContainerClient("backup-runs");
  for await (const { name } of container.listBlobsFlat({ prefix: `${instance}/lists/` })) {
    if (!name.endsWith(".jsonl")) continue;
    const ledger = new Ledger(service, instance);
    const read = await ledger.readAllLines<{ path: string; source: unknown }>(
      name.slice(instance.length + 1),
    );
    const line = read?.lines.find((each) => each.path === file);
    if (line) return line.source;
  }
  return undefined;
}

test("history is the account's: no snapshots, old versions are found, restored, verified and pruned", async () => {
  const root = temporary();
  const place = { root, container: CONTAINER };
  await makeTree(root, {
    same: "same",
    changes: "one",
    gone: "gone",
    "d/huge": randomBytes(2 * 1024 * 1024),
  });
  const before = inMicroseconds(await readTree(root));
  const first = await run("backupSiteContent", place);
  await writeFile(path.join(root, "changes"), "two");
  await writeFile(path.join(root, "d/huge"), randomBytes(1024 * 1024 + 5));
  await rm(path.join(root, "gone"));
  const between = inMicroseconds(await readTree(root));
  const second = await run("backupSiteContent", { ...place, mode: "incremental" });
  await writeFile(path.join(root, "changes"), "three");
  const third = await run("backupSiteContent", { ...place, mode: "incremental" });
  const [one, two, three] = [first, second, third].map(({ instanceId, runtimeStatus }) => {
    expect(runtimeStatus).toBe("Completed");
    return instanceId;
  });
  expect(await versions()).toEqual({
    same: [`${one} now`],
    changes: [one, two, `${three} now`],
    gone: [`${one} now`],
    "d/huge": [one, `${two} now`],
  });

  const to = temporary();
  const restored = await run("restoreSiteContent", { run: one, to });
  expect(restored.runtimeStatus).toBe("Completed");
  expect(inMicroseconds(await readTree(to))).toEqual(before);
  for (const file of ["changes", "d/huge"]) {
    expect(await sourceOf(restored.instanceId, file)).toEqual({
      length: before.get(file)?.content.length,
      versionId: expect.stringMatching(/^20/),
    });
  }
  const verified = await run("verifyBackup", { run: one, readData: true });
  expect(verified).toMatchObject({ runtimeStatus: "Completed", output: 4 });

  const pruned = await run("pruneBackups", { container: CONTAINER, keepLast: 2 });
  expect(pruned.runtimeStatus).toBe("Completed");
  expect(await versions()).toEqual({
    same: [`${one} now`],
    changes: [two, `${three} now`],
    "d/huge": [`${two} now`],
  });
  const kept = await run("restoreSiteContent", { run: two, to, delete: true });
  expect(kept.runtimeStatus).toBe("Completed");
  expect(inMicroseconds(await readTree(to))).toEqual(between);

  const snapshots = account.requests.filter(
    ({ query }) => query.get("comp") === "snapshot" || query.has("snapshot"),
  );
  expect(snapshots).toEqual([]);
});

test("in packs, a prune leaves no version of what it deletes, nor of a chunk that was healed before", async () => {
  const root = temporary();
  const place = { root, container: `packed-${randomUUID()}`, layout: "packs" };
  await makeTree(root, { small: "small", large: randomBytes(3 * 1024 * 1024) });
  const container = service.getContainerClient(place.container);
  const stored = async () => {
    const found: { name: string; current: boolean }[] = [];
    for await (const { name, isCurrentVersion } of container.listBlobsFlat({ includeVersions: true }))
      found.push({ name, current: isCurrentVersion === true });
    return found;
  };
  const completed = { runtimeStatus: "Completed" };
  const first = await run("backupSiteContent", place);
  expect(first).toMatchObject(completed);
  const chunk = (await stored()).find(({ name }) => name.startsWith("chunks/"))?.name ?? "";
  const damaged = await container.getBlobClient(chunk).downloadToBuffer();
  damaged[damaged.length - 1]! ^= 1;
  await container.getBlockBlobClient(chunk).uploadData(damaged);
  expect(await run("verifyBackup", { run: first.instanceId, readData: true })).toMatchObject({
    runtimeStatus: "Failed",
  });
  expect(await run("backupSiteContent", { ...place, mode: "incremental" })).toMatchObject(completed);
  // What was written first, the damaged one, and the one that heals.
  expect((await stored()).filter(({ name }) => name === chunk)).toHaveLength(3);
  await writeFile(path.join(root, "large"), "small now");
  const last = await run("backupSiteContent", { ...place, mode: "incremental" });
  const before = inMicroseconds(await readTree(root));
  expect(await run("pruneBackups", { container: place.container, keepLast: 1 })).toMatchObject(completed);
  const left = await stored();
  expect(left.filter(({ name, current }) => !current || name === chunk)).toEqual([]);
  // That of the first run has "small".
  expect(left.map(({ name }) => name.split("/", 2).join("/"))).toEqual(
    ["format.json", `packs/${first.instanceId}`, `packs/${last.instanceId}`].sort(),
  );
  const to = temporary();
  expect(await run("restoreSiteContent", { run: last.instanceId, to })).toMatchObject(completed);
  expect(inMicroseconds(await readTree(to))).toEqual(before);
});

test("that versions are kept is found out by the first write of a run, and again by a second delivery", async () => {
  const ledger = new Ledger(service, newRun());
  const request = { root: "/x", container: CONTAINER, prefix: "", mode: "full" as const };
  expect(await openRun(ledger, request)).toMatchObject({ versioned: true });
  expect(await openRun(ledger, request)).toMatchObject({ versioned: true });
  const plain = new Ledger(BlobServiceClient.fromConnectionString(azurite.connectionString), ledger.runId);
  expect(await openRun(plain, request)).toMatchObject({ versioned: false });
});

/** A drive whose ledgers are in another account than its backups. */
function apart(destination: string, ledger: string): Drive {
  const env = { AzureWebJobsStorage: destination, BackupLedgerStorage: ledger };
  return new Drive(connectAll(readSettings(env)), { largeFile: 50 });
}

/** What a run restores. */
async function restored(drive: Drive, run: string) {
  const to = temporary();
  const { tally } = await drive.restore({ run, to });
  expect(tally.failures).toEqual([]);
  expect((await drive.verify({ run, readData: true })).tally.failures).toEqual([]);
  return await snapshotOf(to);
}

/** Some backups of one tree, whose files all change in between. */
async function backUp(drive: Drive, container: string, files: number, contents: readonly string[]) {
  const root = temporary();
  const runs = [];
  for (const content of contents) {
    const each = Array.from({ length: files }, (_none, index) => [`d/f${index}`, `${content} ${index}`]);
    await write(root, { ...Object.fromEntries(each), large: content.repeat(50) });
    const { run, tally } = await drive.backup({ root, container, mode: "incremental" });
    expect(tally.failures).toEqual([]);
    runs.push({ run, wanted: await snapshotOf(root) });
  }
  return runs;
}

test("that the account of the ledgers keeps versions says nothing of another one", async () => {
  const drive = apart(azurite.connectionString, account.connectionString);
  for (const { run, wanted } of await backUp(drive, `apart-${randomUUID()}`, 2, ["one", "three", "fifth"])) {
    expect(await restored(drive, run)).toEqual(wanted);
  }
});

test("a destination that keeps versions is known by its answers, whatever the account of the ledgers does", async () => {
  const drive = apart(account.connectionString, azurite.connectionString);
  const container = `apart-${randomUUID()}`;
  const files = 120;
  const before = account.requests.length;
  const runs = await backUp(drive, container, files, ["one", "three"]);
  const snapshots = account.requests.slice(before).filter(({ query }) => query.get("comp") === "snapshot");
  // Those that were under way before the first answer.
  expect(snapshots.length).toBeLessThan(files / 2);
  for (const { run, wanted } of runs) expect(await restored(drive, run)).toEqual(wanted);
});

test("versions that an account kept are found, and pruned, when versioning is turned off", async () => {
  onTestFinished(() => void (account.versioning = true));
  const drive = new Drive(service, { largeFile: 50 });
  const container = `off-${randomUUID()}`;
  const root = temporary();
  const back = async (content: string) => {
    await write(root, { "d/f": content, large: content.repeat(50) });
    const { run } = await drive.backup({ root, container, mode: "incremental" });
    return { run, wanted: await snapshotOf(root) };
  };
  const first = [await back("one"), await back("three")];
  account.versioning = false;
  const runs = [...first, await back("fifth"), await back("seventh")];
  for (const { run, wanted } of runs) expect(await restored(drive, run)).toEqual(wanted);
  const pruned = await drive.prune({ container, keepLast: 1 });
  expect(pruned.tally).toMatchObject({ failures: [] });
  const at = service.getContainerClient(container);
  const left: string[] = [];
  for await (const { name } of at.listBlobsFlat({ includeVersions: true, includeSnapshots: true }))
    left.push(name);
  expect(left.sort()).toEqual(["d/f", "large"]);
  expect(await restored(drive, runs[3]!.run)).toEqual(runs[3]!.wanted);
});
