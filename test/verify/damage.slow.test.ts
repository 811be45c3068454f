import { createHash, randomUUID } from "node:crypto";
import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newRun } from "../harness/domain.ts";
import { drawSample } from "../../src/verify/plan-verify.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

let azurite: TestStorage;
let service: BlobServiceClient;
let drive: Drive;
let blobs: ContainerClient;
let ledger: ContainerClient;
let prefix: string;
let root: string;
let run: string;

beforeAll(async () => {
  azurite = takeAccount();
  service = azurite.service;
  drive = new Drive(service);
  blobs = service.getContainerClient("backups");
  ledger = service.getContainerClient("backup-runs");
});
afterAll(async () => {
  await azurite?.stop();
});
beforeEach(async () => {
  prefix = randomUUID();
  root = temporary();
  await write(root, { a: "aaaa", "d/b": "bbbb", "d/c": "cccc", "e/f/g": "gggg" });
  ({ run } = await drive.backup({ root, prefix }));
});

/** The content as it is not, under the hash of what it was: what a damaged disk serves. */
async function corrupt(name: string, was: string): Promise<void> {
  const content = was.replace(/^./, "X");
  const blob = blobs.getBlockBlobClient(`${prefix}/${name}`);
  await blob.upload(content, content.length);
  await blob.setHTTPHeaders({ blobContentMD5: createHash("md5").update(was).digest() });
}

describe("damaged content", () => {
  test("missing, changed, truncated and corrupt files are named, all others restored", async () => {
    await blobs.deleteBlob(`${prefix}/a`);
    await blobs.getBlockBlobClient(`${prefix}/d/b`).upload("bb", 2);
    await corrupt("d/c", "cccc");

    const lists = await drive.verify({ run });
    expect(lists.tally.counts).toMatchObject({ unchanged: 2, failed: 2 });
    const read = await drive.verify({ run, readData: true });
    expect(read.tally.counts).toMatchObject({ unchanged: 1, failed: 3 });
    const verified = await drive.outcomes(read.run);
    expect(verified.get("a")?.reason).toMatch(/missing/);
    expect(verified.get("d/b")?.reason).toMatch(/not in the container/);
    expect(verified.get("d/c")?.reason).toContain("corrupt");

    const to = temporary();
    const restored = await drive.restore({ run, to });
    expect(restored.tally.counts).toMatchObject({ copied: 1, failed: 3 });
    expect([...(await snapshotOf(to)).values()].filter((node) => node.startsWith("file"))).toHaveLength(1);
  });

  test("what is there is not replaced by what is corrupt", async () => {
    await corrupt("a", "aaaa");
    const to = temporary();
    await write(to, { a: "mine" });
    const before = await snapshotOf(to);
    const { tally } = await drive.restore({ run, to, overwrite: "always", include: ["a"] });
    expect(tally.counts).toMatchObject({ copied: 0, failed: 1 });
    expect(await snapshotOf(to)).toEqual(before);
  });

  test("a share of the files is drawn anew by each verification, and is never none", async () => {
    const files = { a: "aaaa", "d/b": "bbbb", "d/c": "cccc", "e/f/g": "gggg" };
    for (const [name, was] of Object.entries(files)) await corrupt(name, was);
    const read = new Set<string>();
    for (let time = 0; time < 40 && read.size < 2; time++) {
      const { tally } = await drive.verify({ run, readData: "0.001%" });
      expect(tally.counts).toMatchObject({ unchanged: 3, failed: 1 });
      read.add(tally.failures[0] ?? "");
    }
    expect(read.size).toBe(2);
  });

  test("all deliveries of a verification draw the same share", () => {
    const items = Array.from({ length: 1_000 }, (_none, index) => ({
      path: `f${index}`,
      kind: "file" as const,
      size: 1,
      mtime: 0,
      mode: 0o644,
      md5: "",
    }));
    const drawn = (id: string) => [...drawSample(items, "10%", id)].map(({ path }) => path);
    expect(drawn("one")).toEqual(drawn("one"));
    expect(drawn("two")).not.toEqual(drawn("one"));
    expect(drawn("one").length).toBeGreaterThan(50);
    expect(drawn("one").length).toBeLessThan(150);
  });

  test("a container that is gone", async () => {
    const other = `c-${randomUUID()}`;
    const { run: id } = await drive.backup({ root, container: other });
    await service.deleteContainer(other);
    expect((await drive.verify({ run: id })).tally.counts).toMatchObject({ unchanged: 0, failed: 4 });
  });
});

describe("a damaged ledger", () => {
  test("a torn line is named, the rest still verified", async () => {
    const blob = ledger.getBlockBlobClient(`${run}/outcomes/0-0000.jsonl`);
    const text = (await blob.downloadToBuffer()).toString();
    await blob.upload(text.slice(0, -20), text.length - 20);
    const { tally } = await drive.verify({ run });
    expect(tally.counts).toMatchObject({ unchanged: 3, failed: 1 });
    expect(tally.failures[0]).toContain("outcomes/0-0000.jsonl: ");
    expect((await drive.restore({ run, to: temporary() })).tally.counts).toMatchObject({
      copied: 3,
      failed: 1,
    });
  });

  test("a missing record is named, the rest still verified", async () => {
    // Two batches.
    await write(root, { a: "a".repeat(8 * 1024 * 1024), "e/f/g": "g".repeat(8 * 1024 * 1024) });
    const two = (await drive.backup({ root, prefix: `${prefix}-2` })).run;
    await ledger.deleteBlob(`${two}/outcomes/0-0001.jsonl`);
    const { tally } = await drive.verify({ run: two, readData: true });
    expect(tally.counts).toMatchObject({ unchanged: 2, failed: 1 });
    expect(tally.failures[0]).toMatch(/outcomes\/0-0001\.jsonl: .*\b2 files\b/);
  });

  test("a torn summary is made up for by the listing", async () => {
    await ledger.getBlockBlobClient(`${run}/run.json`).upload('{"version":1,"id":', 18);
    expect((await drive.verify({ run })).tally.counts).toMatchObject({ unchanged: 4, failed: 0 });
  });

  test("a torn listing is named, the rest still verified", async () => {
    const id = (await drive.backup({ root, prefix: `${prefix}-2` })).run;
    const blob = ledger.getBlockBlobClient(`${id}/lists/0.json`);
    const text = (await blob.downloadToBuffer()).toString();
    await blob.upload(text.slice(0, 50), 50);
    const { tally } = await drive.verify({ run: id });
    expect(tally.counts.unchanged).toBe(4);
  });

  test("a listing of a newer version is refused by name, not passed over as damaged", async () => {
    const id = (await drive.backup({ root, prefix: `${prefix}-newer` })).run;
    const blob = ledger.getBlockBlobClient(`${id}/lists/0.json`);
    await blob.upload('{"version":2}', 13);
    const refusal = new RegExp(` ${id} .*newer version`);
    expect((await drive.verify({ run: id })).tally.stopped).toMatch(refusal);
    const to = temporary();
    expect((await drive.restore({ run: id, to, delete: true })).tally.stopped).toMatch(refusal);
    expect((await snapshotOf(to)).size).toBe(0);
  });

  test("a ledger of a newer version is refused by name", async () => {
    const blob = ledger.getBlockBlobClient(`${run}/run.json`);
    const text = (await blob.downloadToBuffer()).toString().replace('"version":1', '"version":2');
    await blob.upload(text, text.length);
    const refusal = new RegExp(` ${run} .*newer version`);
    expect((await drive.verify({ run })).tally.stopped).toMatch(refusal);
    expect((await drive.restore({ run, to: temporary() })).tally.stopped).toMatch(refusal);
  });

  test("a plan that a newer version made is not gone on with, and not called damaged", async () => {
    const restore = newRun();
    const plan = '{"version":2}';
    await ledger.getBlockBlobClient(`${restore}/lists/0.json`).upload(plan, plan.length);
    const to = temporary();
    expect((await drive.restore({ run, to }, restore)).tally.stopped).toMatch(
      new RegExp(` ${restore} .*newer version`),
    );
    expect((await snapshotOf(to)).size).toBe(0);
  });

  test("a run that is not there", async () => {
    const gone = "0".repeat(32);
    expect((await drive.verify({ run: gone })).tally.stopped).toContain(`no run ${gone} `);
  });
});
