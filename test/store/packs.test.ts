/** The layout packs by what is done with it: what a backup stores comes back, and what is damaged is named, and stored again. */
import { randomUUID } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient, type BlockBlobClient } from "@azure/storage-blob";
import { describe, expect, test } from "vitest";
import { Drive, startDrive } from "../harness/drive.ts";
import { bytes } from "../harness/tree.ts";
import { directoriesOf, snapshotOf, temporary, write } from "../restore/tree.ts";

const { azurite, drive } = startDrive();
const container = azurite.service.getContainerClient("backups");

/** Backs a tree up into a destination of its own. */
async function backedUp(root: string) {
  const place = { root, prefix: randomUUID(), layout: "packs" };
  const { run, tally } = await drive.backup(place);
  expect(tally).toMatchObject({ failures: [], counts: { failed: 0, skipped: 0 } });
  return { ...place, run };
}

/** The blobs of a destination below a folder. */
async function blobs(prefix: string, folder: string): Promise<BlockBlobClient[]> {
  const found: BlockBlobClient[] = [];
  for await (const { name } of container.listBlobsFlat({ prefix: `${prefix}/${folder}/` }))
    found.push(container.getBlockBlobClient(name));
  return found;
}

async function change(blob: BlockBlobClient, edit: (content: Buffer) => Buffer): Promise<void> {
  const content = edit(await blob.downloadToBuffer());
  await blob.upload(content, content.length);
}

function flipped(at: number) {
  return (content: Buffer): Buffer => {
    content[at < 0 ? content.length + at : at]! ^= 1;
    return content;
  };
}

/** What is verified of a run, and what of it is lost. */
async function lost(run: string, readData: boolean): Promise<string[]> {
  return (await drive.verify({ run, readData })).tally.failures;
}

async function expectRestored(run: string, root: string, app = drive): Promise<void> {
  const to = temporary();
  const { tally } = await app.restore({ run, to });
  expect(tally).toMatchObject({ failures: [], counts: { failed: 0 } });
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
  expect(await directoriesOf(to)).toEqual(await directoriesOf(root));
}

/** Every kind of content, also under names that are no blob's. */
async function everyKind(): Promise<string> {
  const root = temporary();
  await write(root, { zero: "", a: "aaaa", "a.": "ends in a dot", "back\\slash": "b", "d/a": "aaaa" });
  await write(root, { "d/line\nbreak": "c", "e/f/g": "gggg".repeat(10_000) });
  await writeFile(path.join(root, "random"), bytes(3_000_000));
  await writeFile(path.join(root, "larger"), bytes(9_000_000));
  await mkdir(path.join(root, "empty/inner"), { recursive: true });
  await symlink("a", path.join(root, "link"));
  await symlink(Buffer.from([0xff, 0x2f]), path.join(root, "link to bytes"));
  return root;
}

test("every kind of content comes back, and is verified; a large file chunk after chunk, in several activities", async () => {
  const root = await everyKind();
  const { run } = await backedUp(root);
  for (const settings of [{}, { largeFile: 1_000_000, listMs: 0 }]) {
    const app = new Drive(azurite.service, settings);
    await expectRestored(run, root, app);
    expect((await app.verify({ run, readData: true })).tally).toMatchObject({
      failures: [],
      counts: { unchanged: 11 },
    });
  }
});

describe("a damaged pack", () => {
  test("is named, be it gone, cut short, replaced or archived, and its contents are stored again", async () => {
    const root = temporary();
    const place = { root, prefix: randomUUID(), layout: "packs", mode: "incremental" };
    const packs: BlockBlobClient[] = [];
    let run = "";
    for (const name of ["archived", "gone", "longer", "torn"]) {
      // Each run stores one file, in a pack of its own.
      await write(root, { [name]: name });
      ({ run } = await drive.backup(place));
      packs.push(...(await blobs(place.prefix, `packs/${run}`)));
    }
    const [archived, gone, longer, torn] = packs;
    await archived!.setAccessTier("Archive");
    await gone!.delete();
    await change(longer!, (content) => Buffer.concat([content, content]));
    await change(torn!, (content) => content.subarray(0, -1));
    const format = container.getBlockBlobClient(`${place.prefix}/format.json`);
    await format.delete();

    const failures = [
      expect.stringMatching(/^archived: .*archive tier/),
      expect.stringMatching(/^gone: .*packs\/\S+ .*missing/),
      expect.stringMatching(/^longer: .*packs\/\S+ .*\d+ bytes.* \d+$/),
      expect.stringMatching(/^torn: .*packs\/\S+ .*\d+ bytes.* \d+$/),
    ];
    expect((await lost(run, false)).toSorted()).toEqual(failures);
    const { tally } = await drive.restore({ run, to: temporary() });
    expect(tally.failures.toSorted()).toEqual(failures);
    const next = await drive.backup(place);
    expect(next.tally).toMatchObject({ failures: [], counts: { copied: 4 } });
    expect(await format.exists()).toBe(true);
    for (const { reason } of (await drive.outcomes(next.run)).values())
      expect(reason).toMatch(/^stored again: .*gone/);
    await expectRestored(next.run, root);
  });

  test("with a flipped bit is found by reading, and then its contents are stored again", async () => {
    const root = temporary();
    await write(root, { a: "aaaa", b: "b" });
    await writeFile(path.join(root, "random"), bytes(100_000));
    const { run, ...place } = await backedUp(root);
    const [pack] = await blobs(place.prefix, "packs");
    await change(pack!, flipped(Math.floor((await pack!.getProperties()).contentLength! / 2)));
    expect(await lost(run, false)).toEqual([]);
    const again = await drive.backup({ ...place, mode: "incremental" });
    expect(again.tally.counts).toMatchObject({ copied: 0, unchanged: 3 });

    const to = temporary();
    const restored = await drive.restore({ run, to });
    expect(restored.tally.failures).toEqual([expect.stringMatching(/^random: corrupt: /)]);
    expect([...(await snapshotOf(to)).keys()]).toEqual(["a", "b"]);
    expect(await lost(run, true)).toEqual(restored.tally.failures);
    const next = await drive.backup({ ...place, mode: "incremental" });
    expect(next.tally).toMatchObject({ failures: [], counts: { copied: 3 } });
    await expectRestored(next.run, root);
    expect(await lost(next.run, true)).toEqual([]);
  });

  test("in its footer does no harm to those who have the run's record", async () => {
    const root = temporary();
    await write(root, { a: "aaaa", "d/b": "bbbb" });
    const { run, prefix } = await backedUp(root);
    const [pack] = await blobs(prefix, "packs");
    await change(pack!, flipped(-60));
    await expectRestored(run, root);
    expect(await lost(run, true)).toEqual([]);
  });
});

describe("a larger file", () => {
  const larger = async () => {
    const root = temporary();
    await writeFile(path.join(root, "larger"), bytes(5_000_000));
    await write(root, { "z/small": "small" });
    const made = await backedUp(root);
    const chunks = await blobs(made.prefix, "chunks");
    return { ...made, chunks };
  };
  const healed = async (place: { root: string; prefix: string; layout: string }) => {
    const next = await drive.backup({ ...place, mode: "incremental" });
    expect(next.tally).toMatchObject({ failures: [], counts: { copied: 2 } });
    await expectRestored(next.run, place.root);
    expect(await lost(next.run, true)).toEqual([]);
  };

  test("is lost without one of its chunks, and stored again once a verification has seen that", async () => {
    const { run, chunks, ...place } = await larger();
    await chunks[0]!.delete();
    const reason = /^larger: its chunk, the blob \S+, is missing$/;
    expect(await lost(run, false)).toEqual([expect.stringMatching(reason)]);
    const restored = await drive.restore({ run, to: temporary() });
    expect(restored.tally).toMatchObject({
      failures: [expect.stringMatching(reason)],
      counts: { copied: 1 },
    });
    await healed(place);
  });

  test.each([
    ["content", 100_000, /^larger: corrupt: .*chunks\/\S+: .*\bname$/],
    ["version", 4, /^larger: corrupt: .*chunks\/\S+: .*version 0\b/],
  ])(
    "with a flipped bit in the %s of a chunk is never put into place; the chunk is written anew",
    async (_what, at, reason) => {
      const { run, chunks, ...place } = await larger();
      await change(chunks.at(-1)!, flipped(at));
      expect(await lost(run, false)).toEqual([]);
      const to = temporary();
      const restored = await drive.restore({ run, to });
      expect(restored.tally.failures).toEqual([expect.stringMatching(reason)]);
      expect([...(await snapshotOf(to)).keys()]).toEqual(["z/small"]);
      const lanes = new Drive(azurite.service, { largeFile: 1_000_000 });
      const verified = await lanes.verify({ run, readData: true });
      expect(verified.tally.failures).toEqual([expect.stringMatching(reason)]);
      await healed(place);
    },
  );

  test("with a chunk in the archive fails by name in all that needs it, until the chunk is in another tier", async () => {
    const { run, chunks, ...place } = await larger();
    await chunks[0]!.setAccessTier("Archive");
    const reason = expect.stringMatching(/^larger: its chunk, the blob \S+, is in the archive tier/);
    expect(await lost(run, false)).toEqual([reason]);
    expect(await lost(run, true)).toEqual([reason]);
    const restored = await drive.restore({ run, to: temporary() });
    expect(restored.tally).toMatchObject({ failures: [reason], counts: { copied: 1 } });
    const next = await drive.backup({ ...place, mode: "incremental" });
    expect(next.tally).toMatchObject({ failures: [reason], counts: { copied: 1 } });
    await chunks[0]!.setAccessTier("Hot");
    const last = await drive.backup({ ...place, mode: "incremental" });
    expect(last.tally).toMatchObject({ failures: [], counts: { copied: 1, unchanged: 1 } });
    await expectRestored(last.run, place.root);
  });

  test("whose recipe is damaged is lost", async () => {
    const { run, chunks: _chunks, ...place } = await larger();
    const [pack] = await blobs(place.prefix, "packs");
    // In its one frame it comes after what is small, or before.
    await change(pack!, flipped(16 + "small".length + 10));
    const reason = /^larger: corrupt: .*SHA-256/;
    for (const readData of [false, true])
      expect(await lost(run, readData)).toEqual([expect.stringMatching(reason)]);
    await healed(place);
  });
});

test("a destination of a later format is refused by name, to read from and to write to", async () => {
  const root = temporary();
  await write(root, { a: "aaaa" });
  const { run, ...place } = await backedUp(root);
  const format = container.getBlockBlobClient(`${place.prefix}/format.json`);
  const ours = JSON.parse((await format.downloadToBuffer()).toString()) as object;
  // Who has read it before does not read it again; this one is another account to it.
  const elsewhere = azurite.connectionString.replaceAll("127.0.0.1", "localhost");
  const other = new Drive(BlobServiceClient.fromConnectionString(elsewhere));
  for (const [theirs, reason] of [
    [{ version: 2 }, /version 2\b.* 1\b/],
    [{ id: "hmac-sha256" }, /"hmac-sha256"/],
    [{ codecs: ["none", "aes"] }, /codec "aes"/],
    [{ chunker: { name: "rabin", min: 1, average: 2, max: 3, span: 4 } }, /cuts larger files/],
    [{ codecs: 1 }, /format\.json is damaged/],
  ] as const) {
    const text = JSON.stringify({ ...ours, ...theirs });
    await format.upload(text, text.length);
    const restored = await other.restore({ run, to: temporary() });
    for (const { tally } of [await other.verify({ run }), restored, await other.backup(place)])
      expect(tally.stopped).toMatch(reason);
  }
});
