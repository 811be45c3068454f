/** Row 8: the account refuses from a moment on, a SAS expires, the account is gone for good. */
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LAYOUTS, type Layout } from "../../src/model/names.ts";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { counted, full, PATIENCE } from "../harness/faults.ts";
import type { RunStatus } from "../harness/run.ts";
import { secretsOf } from "../harness/secrets.ts";
import { isWrite, type StorageRequest } from "../harness/storage-proxy.ts";
import { bytesOf, makeFolder, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";
import { expectSameOnDisk, startRig, type Rig } from "./rig.ts";

/** Within so long a run must have stopped. */
const STOPS_WITHIN = 120_000;
const FILES = 200;
/** Files that are sent before the fault. */
const SENT = 40;
/** In packs, whose files are recorded by the batch: files of a part of the tree, which is a batch. */
const PART = 20;
/** Seconds that the SAS is good for: to start a host and send some files, and less than a request may take. */
const GOOD_FOR = 18;
const CONTAINER = "interrupted";

let rig: Rig;
let state: string;
let root: string;

beforeEach(async () => {
  // Kept when the host stops: without its state the next one would be another app.
  state = await makeFolder("refused-state");
  rig = await startRig("refused", { state });
  root = await makeTree(`${rig.folder}/tree`, manyFiles(FILES));
});
afterEach(async () => {
  await rig?.stop();
  rmSync(state, { recursive: true, force: true });
});

/** Resolves when so many files have been sent, or are recorded as packed; requests continue meanwhile. */
function whenSent(files: number, layout: Layout = "files"): Promise<void> {
  const isOne = ({ container, blob }: StorageRequest): boolean =>
    layout === "files" ? container === CONTAINER : /\/outcomes\/.*-\d{4}\.jsonl$/.test(blob);
  return new Promise((resolve) => {
    rig.proxy.after = (request) => {
      if (!isOne(request) || !isWrite(request)) return;
      files -= layout === "files" ? 1 : PART;
      if (files <= 0) resolve();
    };
  });
}

/** The run has failed in time; says after how many seconds. */
async function expectStopped(id: string, since: number, message: RegExp): Promise<number> {
  const status = await rig.follow(id, STOPS_WITHIN + 30_000);
  const seconds = (performance.now() - since) / 1000;
  expect(status.runtimeStatus).toBe("Failed");
  expect(status.output).toMatch(message);
  expect(seconds).toBeLessThan(STOPS_WITHIN / 1000);
  return Math.round(seconds);
}

/** The blobs are the tree. */
async function expectBlobs(tree: Awaited<ReturnType<typeof readTree>>): Promise<void> {
  const blobs = await readBlobs(rig.service.getContainerClient(CONTAINER));
  expect([...blobs.keys()].sort()).toEqual([...tree.keys()].sort());
  for (const [name, { content }] of tree) expect(blobs.get(name)?.content.equals(content), name).toBe(true);
}

/** A second run, when storage is back, sends what is missing and no more. @param broken the first one, in packs */
async function expectResumed(broken?: string): Promise<{ status: RunStatus; already: number }> {
  rig.proxy.before = rig.proxy.after = () => undefined;
  const already =
    broken === undefined
      ? (await readBlobs(rig.service.getContainerClient(CONTAINER))).size
      : (await readLedger(rig.service, broken)).outcomes.filter(({ outcome }) => outcome === "copied").length;
  const layout = broken === undefined ? "files" : "packs";
  const request = { root, container: CONTAINER, layout, mode: "incremental" };
  const id = await rig.post("backupSiteContent", request);
  const status = await rig.follow(id, PATIENCE);
  const tree = await readTree(root);
  expect(status).toMatchObject({
    runtimeStatus: "Completed",
    customStatus: { counts: { unchanged: already, copied: tree.size - already, failed: 0 } },
  });
  const to = `${rig.folder}/restored`;
  await rig.follow(await rig.post("restoreSiteContent", { run: id, to }), PATIENCE);
  await expectSameOnDisk(root, to);
  if (layout === "files") await expectBlobs(tree);
  expect(outcomesByPath(await readLedger(rig.service, id)).size).toBe(tree.size);
  const { counts } = status.customStatus as { counts: Record<string, number> };
  expect(counts["bytes"]! + counts["unchangedBytes"]!).toBe(bytesOf(tree));
  expect(already).toBeGreaterThan(0);
  expect(already).toBeLessThan(FILES);
  return { status, already };
}

/** Neither the host's log, nor what it answers, nor any ledger has one of the secrets. */
async function expectNoSecret(id: string, secrets: readonly string[]): Promise<number> {
  const texts = [rig.host.logs(), JSON.stringify(await rig.follow(id))];
  const container = rig.service.getContainerClient("backup-runs");
  for await (const item of container.listBlobsFlat({ includeMetadata: true })) {
    texts.push(JSON.stringify(item.metadata ?? {}));
    if (item.properties.contentLength === 0) continue;
    texts.push((await container.getBlobClient(item.name).downloadToBuffer()).toString("utf8"));
  }
  for (const secret of secrets) {
    for (const text of texts) expect(text.includes(secret), "a secret was printed").toBe(false);
  }
  return texts.length;
}

describe("row 8: the account refuses, or is gone", () => {
  it.each(LAYOUTS)(
    "403 from a moment on: stops, says what to do, continues when it is put right: %s",
    async (layout) => {
      if (layout === "packs") {
        await rig.host.stop();
        await rig.restart({
          env: { BACKUP_ROOTS: rig.folder, RESTORE_ROOTS: rig.folder, BACKUP_LIST_FILES: `${PART}` },
        });
      }
      const sent = whenSent(SENT, layout);
      const id = await rig.post("backupSiteContent", { root, container: CONTAINER, layout });
      await sent;
      rig.proxy.before = () => FORBIDDEN;
      const seconds = await expectStopped(
        id,
        performance.now(),
        /The storage account refused the request \(HTTP 403 AuthorizationFailure\)\. Check that the key or SAS/,
      );
      const texts = await expectNoSecret(id, secretsOf(rig.host.connectionString));
      const { already } = await expectResumed(layout === "packs" ? id : undefined);
      counted(8, {
        layout,
        "403 from a moment on: stopped after s": seconds,
        "files there": already,
        "texts searched": texts,
      });
    },
    PATIENCE,
  );

  it(
    "a SAS that expires in mid-run: the same, with a real SAS",
    async () => {
      const sasFor = (seconds: number) => sharedAccess(rig.host.connectionString, seconds);
      const short = sasFor(GOOD_FOR);
      const expires = performance.now() + GOOD_FOR * 1000;
      await rig.host.stop();
      await rig.restart({ env: environmentOf(short) });
      // Some files go before it expires, the others wait on the way until it has.
      let sent = 0;
      rig.proxy.before = async (request) => {
        if (request.container !== CONTAINER || !isWrite(request) || ++sent <= SENT) return;
        await sleep(Math.max(0, expires + 1_000 - performance.now()));
      };
      const id = await rig.post("backupSiteContent", { root, container: CONTAINER });
      const seconds = await expectStopped(
        id,
        expires,
        /The storage account refused the request \(HTTP 403 \w+\)\. Check that the key or SAS is right and not expired/,
      );
      const texts = await expectNoSecret(id, secretsOf(short));
      await rig.host.stop();
      await rig.restart({ env: environmentOf(sasFor(3600)) });
      const { already } = await expectResumed();
      counted(8, {
        "SAS expired: stopped after s": seconds,
        "files there": already,
        "texts searched": texts,
      });
    },
    PATIENCE,
  );

  it.runIf(full).each([
    ["refuses connections", "goes away" as const],
    ["takes connections and never answers", "hang" as const],
  ])(
    "gone for good, %s: stops within two minutes, continues when storage is back",
    async (how, fault) => {
      const sent = whenSent(SENT);
      const id = await rig.post("backupSiteContent", { root, container: CONTAINER });
      await sent;
      const since = performance.now();
      if (fault === "hang") rig.proxy.before = () => "hang";
      else await rig.proxy.goAway();
      const seconds = await expectStopped(
        id,
        since,
        /The storage account (could not be reached|did not answer).*start the run again when storage answers/,
      );
      if (fault !== "hang") await rig.proxy.comeBack();
      rig.proxy.before = () => undefined;
      const texts = await expectNoSecret(id, secretsOf(rig.host.connectionString));
      const { already } = await expectResumed();
      counted(8, { [`${how}: stopped after s`]: seconds, "files there": already, "texts searched": texts });
    },
    PATIENCE,
  );
});

/** A connection string with a SAS of the whole account, good for so many seconds. */
function sharedAccess(connectionString: string, seconds: number): string {
  const part = (name: string) => new RegExp(`${name}=([^;]+)`).exec(connectionString)?.[1] ?? "";
  const query = generateAccountSASQueryParameters(
    {
      expiresOn: new Date(Date.now() + seconds * 1000),
      permissions: AccountSASPermissions.parse("rwdlacup"),
      resourceTypes: AccountSASResourceTypes.parse("sco").toString(),
      services: AccountSASServices.parse("b").toString(),
    },
    new StorageSharedKeyCredential(part("AccountName"), part("AccountKey")),
  ).toString();
  return `BlobEndpoint=${part("BlobEndpoint")};SharedAccessSignature=${query}`;
}

function environmentOf(connectionString: string): Record<string, string> {
  return { BACKUP_ROOTS: rig.folder, RESTORE_ROOTS: rig.folder, BackupStorage: connectionString };
}
