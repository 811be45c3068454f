/**
 * An account that keeps versions by itself: history is left to it. The account is a fake before Azurite
 * (../harness/fake-versioned-account.ts); the app is the real one, over HTTP.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Ledger, parseLines } from "../../src/ledger/ledger.ts";
import { openRun } from "../../src/ledger/run-record.ts";
import { startAzurite, type TestStorage } from "../harness/azurite.ts";
import { startFakeVersionedAccount, type FakeVersionedAccount } from "../harness/fake-versioned-account.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { inMicroseconds, makeTree, readTree } from "../harness/tree.ts";
import { temporary } from "../restore/tree.ts";

const CONTAINER = "site";

let azurite: TestStorage;
let account: FakeVersionedAccount;
let service: BlobServiceClient;
let host: LocalHostProcess;

beforeAll(async () => {
  azurite = await startAzurite();
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
    const text = (await container.getBlobClient(name).downloadToBuffer()).toString();
    const line = parseLines<{ path: string; source: unknown }>(text).find((each) => each.path === file);
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

test("that versions are kept is found out by the first write of a run, and again by a second delivery", async () => {
  const ledger = new Ledger(service, randomUUID().replaceAll("-", ""));
  const request = { root: "/x", container: CONTAINER, prefix: "", mode: "full" as const };
  expect(await openRun(ledger, request)).toEqual({ versioned: true });
  expect(await openRun(ledger, request)).toEqual({ versioned: true });
  const plain = new Ledger(BlobServiceClient.fromConnectionString(azurite.connectionString), ledger.runId);
  expect(await openRun(plain, request)).toEqual({ versioned: false });
});
