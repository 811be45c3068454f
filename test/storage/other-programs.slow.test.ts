/** What other programs do to the blobs of a backup: each is told apart, in its own words, with its own way on. */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import { expect, test } from "vitest";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { backupRequest } from "../../src/backup/request.ts";
import { newRun, listPart } from "../harness/domain.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

const { azurite, drive: plain } = startDrive();
/** Files over 100 bytes are large. */
const drive = new Drive(azurite.service, { largeFile: 100 });
const large = "large ".repeat(50);

async function newPlace() {
  const container = `other-${randomUUID()}`;
  const at = azurite.service.getContainerClient(container);
  await at.create();
  return { container, at, root: temporary() };
}

async function snapshotsIn(at: ContainerClient): Promise<number> {
  let snapshots = 0;
  for await (const { snapshot } of at.listBlobsFlat({ includeSnapshots: true })) if (snapshot) snapshots++;
  return snapshots;
}

async function reasonOf(run: string, name: string): Promise<string | undefined> {
  return (await drive.outcomes(run)).get(name)?.reason;
}

const hold: Record<string, { by: (blob: BlockBlobClient) => Promise<unknown>; words: RegExp }> = {
  "a lease": {
    by: async (blob) => await blob.getBlobLeaseClient().acquireLease(-1),
    words: /leased by another program.*az storage blob lease break/,
  },
  "the archive tier": {
    by: async (blob) => await blob.setAccessTier("Archive"),
    words: /archive tier.*set-tier/,
  },
};

test.each(Object.entries(hold))(
  "%s keeps a blob: its file fails with the way out, and no run leaves a snapshot",
  async (_what, { by, words }) => {
    const { container, at, root } = await newPlace();
    await write(root, { small: "old", huge: large, same: "same", free: "old" });
    await drive.backup({ root, container });
    for (const name of ["small", "huge", "same"]) await by(at.getBlockBlobClient(name));
    await write(root, { small: "new", huge: `${large}new`, free: "new" });
    for (const mode of ["full", "incremental"]) {
      const { run, tally } = await drive.backup({ root, container, mode });
      expect(tally.counts.failed).toBe(2);
      for (const name of ["small", "huge"]) expect(await reasonOf(run, name)).toMatch(words);
      expect((await drive.outcomes(run)).get("same")).toMatchObject({ outcome: "unchanged" });
    }
    expect(await snapshotsIn(at)).toBe(1);
  },
);

test("a lease that has ended since the destination was listed is in nobody's way", async () => {
  const { container, at, root } = await newPlace();
  await write(root, { file: "old" });
  await drive.backup({ root, container });
  await at.getBlockBlobClient("file").getBlobLeaseClient().acquireLease(15);
  await write(root, { file: "new" });
  const run = newRun();
  const whole = { run, part: "0", request: backupRequest.parse({ root, container }) };
  const [batch] = (await listPart(whole, drive)).batches;
  await at.getBlockBlobClient("file").getBlobLeaseClient().breakLease(0);
  const { counts } = await copyBatch(batch!, drive.service, drive.settings, drive.budget);
  expect(counts).toMatchObject({ copied: 1, failed: 0 });
});

test("page and append blobs of another program are left alone, and gather no snapshots", async () => {
  const { container, at, root } = await newPlace();
  await at.getAppendBlobClient("log").create();
  await at.getPageBlobClient("disk").create(512);
  await at.getAppendBlobClient("huge").create();
  await write(root, { log: "log", disk: "disk", huge: large, other: "other" });
  for (let time = 0; time < 2; time++) {
    const { run, tally } = await drive.backup({ root, container });
    expect(tally.counts).toMatchObject({ copied: 1, failed: 3 });
    for (const name of ["log", "disk", "huge"])
      expect(await reasonOf(run, name)).toMatch(/page or append blob/);
  }
  expect(await snapshotsIn(at)).toBe(0);
});

test.each([1, 2, 8, 48])(
  "uncommitted blocks of another program, with ids of %d bytes, are in no file's way",
  async (length) => {
    const { container, at, root } = await newPlace();
    const files = { small: "small", huge: large, blocks: "b".repeat(9_000_000) };
    const there = new Drive(azurite.service, { largeFile: 10_000_000 });
    for (const name of [...Object.keys(files), "old"]) {
      await at.getBlockBlobClient(name).stageBlock(Buffer.alloc(length, 1).toString("base64"), "zzz", 3);
    }
    await write(root, files);
    for (const mode of [drive, there]) {
      const { run, tally } = await mode.backup({ root, container });
      expect(tally).toMatchObject({ failures: [], counts: { failed: 0 } });
      const to = temporary();
      await mode.restore({ run, to });
      expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
      await at.getBlockBlobClient("blocks").stageBlock(Buffer.alloc(length, 1).toString("base64"), "zzz", 3);
    }
  },
);

test("headers that another program set, which takes the MD5: the content is read, not given up for lost", async () => {
  const { container, at, root } = await newPlace();
  await write(root, { small: "hello", huge: large, "d/damaged": "right" });
  const { run } = await drive.backup({ root, container });
  await at.getBlockBlobClient("d/damaged").upload("wrong", 5);
  for (const name of ["small", "huge", "d/damaged"]) {
    await at.getBlobClient(name).setHTTPHeaders({ blobCacheControl: "max-age=60" });
  }
  const verified = await drive.verify({ run });
  expect(verified.tally.counts).toMatchObject({ unchanged: 2, failed: 1 });
  expect(await reasonOf(verified.run, "d/damaged")).toMatch(/corrupt/);
  const to = temporary();
  const { tally } = await drive.restore({ run, to });
  expect(tally.counts).toMatchObject({ copied: 2, failed: 1 });
  // The old content is kept as it is, and found there, too.
  await write(root, { small: "HELLO", huge: large.toUpperCase(), "d/damaged": "RIGHT" });
  await drive.backup({ root, container });
  expect((await drive.verify({ run })).tally.counts).toMatchObject({ unchanged: 2, failed: 1 });
});

test("archived content: verify says what a restore would; a copy that can be read is used", async () => {
  const { container, at, root } = await newPlace();
  await write(root, { only: "only", twice: "twice" });
  const { run } = await drive.backup({ root, container });
  await at.getBlobClient("twice").createSnapshot();
  for (const name of ["only", "twice"]) await at.getBlobClient(name).setAccessTier("Archive");
  const verified = await drive.verify({ run });
  const restored = await drive.restore({ run, to: temporary() });
  expect(verified.tally.counts).toMatchObject({ unchanged: 1, failed: 1 });
  expect(restored.tally.counts).toMatchObject({ copied: 1, failed: 1 });
  for (const of of [verified.run, restored.run])
    expect(await reasonOf(of, "only")).toMatch(/archive tier.*set-tier/);
});

test("a prune keeps the records of what it could not delete, and the next one deletes both", async () => {
  const { container, at, root } = await newPlace();
  await write(root, { leased: "old", touched: "old", gone: "gone" });
  const first = await plain.backup({ root, container, keepVersions: false });
  await rm(path.join(root, "leased"));
  await rm(path.join(root, "gone"));
  await writeFile(path.join(root, "stays"), "stays");
  await plain.backup({ root, container, keepVersions: false });
  const lease = at.getBlobClient("leased").getBlobLeaseClient();
  await lease.acquireLease(-1);
  const pruned = await plain.prune({ container, keepLast: 1 });
  expect(pruned.forgotten).toEqual([first.run]);
  expect(pruned.tally.counts.failed).toBe(1);
  expect(await reasonOf(pruned.run, "leased")).toMatch(/leased by another program/);
  const record = azurite.service.getContainerClient("backup-runs").getBlobClient(`${first.run}/run.json`);
  expect(await record.exists()).toBe(true);

  await lease.breakLease(0);
  // Its MD5 is gone as well: nobody needs anything of that name.
  await at.getBlobClient("leased").setHTTPHeaders({ blobCacheControl: "max-age=60" });
  const again = await plain.prune({ container, keepLast: 1 });
  expect(again.tally.counts).toMatchObject({ failed: 0 });
  expect(await at.getBlobClient("leased").exists()).toBe(false);
  expect(await record.exists()).toBe(false);
});
