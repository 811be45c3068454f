/** What a prune deletes and what it leaves, by the rooms themselves on Azurite. */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Outcome } from "../../src/backup/outcome.ts";
import { startAzurite } from "../restore/azurite.ts";
import { Drive } from "../restore/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let drive: Drive;

beforeAll(async () => {
  azurite = await startAzurite();
  drive = new Drive(azurite.service);
});
afterAll(async () => {
  await azurite?.stop();
});

function newPlace() {
  const container = `prune-${randomUUID()}`;
  return { container, at: azurite.service.getContainerClient(container) };
}

/** "name", or "name@" for a snapshot of it, each with its content. */
async function contentsOf(container: ContainerClient): Promise<string[]> {
  const contents: string[] = [];
  for await (const { name, snapshot } of container.listBlobsFlat({ includeSnapshots: true })) {
    const blob = container.getBlobClient(name);
    const bytes = await (snapshot ? blob.withSnapshot(snapshot) : blob).downloadToBuffer();
    contents.push(`${name}${snapshot ? "@" : ""}=${bytes.toString("utf8")}`);
  }
  return contents.sort();
}

/** What is left in the ledgers' container of a run. */
async function recordsOf(run: string): Promise<string[]> {
  const left: string[] = [];
  for await (const { name } of azurite.service.getContainerClient("backup-runs").listBlobsFlat()) {
    if (name.startsWith(`${run}/`) || (name.startsWith("index/") && name.includes(run))) left.push(name);
  }
  return left;
}

async function restored(run: string): Promise<Map<string, string>> {
  const to = temporary();
  const { tally } = await drive.restore({ run, to });
  expect(tally).toMatchObject({ failures: [], counts: { failed: 0 } });
  expect((await drive.verify({ run, readData: true })).tally.counts.failed).toBe(0);
  return await snapshotOf(to);
}

test("snapshots, blobs and the ledger of a forgotten run go; what the kept run found unchanged stays", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  await write(root, { same: "same", changes: "old", gone: "goes", "d/moved": "moved" });
  const first = await drive.backup({ root, container });
  await writeFile(path.join(root, "changes"), "new content");
  await rm(path.join(root, "gone"));
  await rm(path.join(root, "d"), { recursive: true });
  await write(root, { "e/moved": "moved" });
  const wanted = await snapshotOf(root);
  const second = await drive.backup({ root, container, mode: "incremental" });
  expect(second.tally.counts).toMatchObject({ copied: 2, unchanged: 1 });
  expect(await contentsOf(at)).toHaveLength(6);

  const files = (outcomes: Map<string, Outcome>) =>
    [...outcomes.values()].filter(({ kind }) => kind === "file");
  const dry = await drive.prune({ container, keepLast: 1, dryRun: true });
  const foretold = files(await drive.outcomes(dry.run));
  expect(dry).toMatchObject({ kept: [second.run], forgotten: [first.run] });
  expect(await contentsOf(at)).toHaveLength(6);
  expect(await restored(first.run)).toHaveProperty("size", 4);

  const { tally, run } = await drive.prune({ container, keepLast: 1 });
  // The dry run knew of no restore and verification of the first run, whose ledgers go as well.
  expect(dry.tally.counts.deleted).toBe(4);
  expect(tally.counts).toMatchObject({ deleted: 6, failed: 0 });
  expect(await contentsOf(at)).toEqual(["changes=new content", "e/moved=moved", "same=same"]);
  expect(await recordsOf(first.run)).toEqual([]);
  const outcomes = await drive.outcomes(run);
  expect(files(outcomes).map(({ path: name, size }) => `${name} ${size}`)).toEqual(
    foretold.map(({ path: name, size }) => `${name} ${size}`),
  );
  expect(foretold.map(({ path: name }) => name).sort()).toEqual(["changes", "d/moved", "gone"]);
  expect(outcomes.get(`backup-runs/${second.run}`)?.reason).toMatch(/stays: last snapshot$/);
  expect(await restored(second.run)).toEqual(wanted);
  await expect(drive.restore({ run: first.run, to: temporary() })).resolves.toMatchObject({
    tally: { stopped: expect.stringContaining("a prune may have forgotten it") as string },
  });
  expect((await drive.prune({ container, keepLast: 1 })).tally.counts).toMatchObject({ bytes: 0 });
});
