/** The layout packs through its acts: what a backup stores comes back, and what is damaged is named, and stored again. */
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

const ZSTD = 1;

/** A GiB of zeros as Zstandard (RFC 8878): its header, and blocks of one byte that is to be repeated. */
function bomb(): Buffer {
  const [blocks, repeat] = [8_192, 128 * 1024];
  const frame = Buffer.alloc(6 + 4 * blocks);
  frame.set([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]);
  for (let at = 0; at < blocks; at++)
    frame.writeUIntLE((repeat << 3) | (1 << 1) | Number(at === blocks - 1), 6 + 4 * at, 3);
  return frame;
}

/** What is verified of a run, and what of it is lost. */
async function lost(run: string, readData: boolean): Promise<string[]> {
  return (await drive.verify({ run, readData })).tally.failures;
}

async function expectRestored(run: string, root: string): Promise<void> {
  const to = temporary();
  const { tally } = await drive.restore({ run, to });
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
  await mkdir(path.join(root, "empty/inner"), { recursive: true });
  await symlink("a", path.join(root, "link"));
  await symlink(Buffer.from([0xff, 0x2f]), path.join(root, "link to bytes"));
  return root;
}

test("every kind of content comes back, and is verified", async () => {
  const root = await everyKind();
  const { run } = await backedUp(root);
  await expectRestored(run, root);
  for (const readData of [false, true]) expect(await lost(run, readData)).toEqual([]);
});

describe("a damaged pack", () => {
  const missing = async (pack: BlockBlobClient): Promise<void> => void (await pack.delete());
  const torn = (pack: BlockBlobClient) => change(pack, (content) => content.subarray(0, -1));
  const longer = (pack: BlockBlobClient) => change(pack, (content) => Buffer.concat([content, content]));
  const archived = async (pack: BlockBlobClient): Promise<void> => void (await pack.setAccessTier("Archive"));

  test.each([
    ["that is missing", missing, /: its pack \S+ is missing$/],
    ["that was cut short", torn, /: its pack \S+ has \d+ bytes, the run recorded \d+$/],
    ["that another one has replaced", longer, /: its pack \S+ has \d+ bytes, the run recorded \d+$/],
    ["in the archive", archived, /: its pack \S+ is in the archive tier, where it can be neither read/],
  ])("%s is named, and its contents are stored again", async (_what, damage, reason) => {
    const root = temporary();
    await write(root, { a: "aaaa", "d/b": "bbbb" });
    const { run, ...place } = await backedUp(root);
    const [pack] = await blobs(place.prefix, "packs");
    await damage(pack!);
    for (const readData of [false, true]) {
      const failures = await lost(run, readData);
      expect(failures).toHaveLength(2);
      for (const failure of failures) expect(failure).toMatch(reason);
    }
    expect((await drive.restore({ run, to: temporary() })).tally).toMatchObject({
      failures: [expect.stringMatching(reason), expect.stringMatching(reason)],
    });
    const next = await drive.backup({ ...place, mode: "incremental" });
    expect(next.tally).toMatchObject({ failures: [], counts: { copied: 2 } });
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
    const root = await everyKind();
    const { run, prefix } = await backedUp(root);
    const [pack] = await blobs(prefix, "packs");
    await change(pack!, flipped(-60));
    await expectRestored(run, root);
    expect(await lost(run, true)).toEqual([]);
  });

  test("that decodes to more than was recorded is refused before memory is taken", async () => {
    const root = temporary();
    await writeFile(path.join(root, "random"), bytes(200_000));
    const { run, prefix } = await backedUp(root);
    const [pack] = await blobs(prefix, "packs");
    await change(pack!, (content) => {
      content[8] = ZSTD;
      bomb().copy(content, 16);
      return content;
    });
    const before = process.resourceUsage().maxRSS;
    expect(await lost(run, true)).toEqual([expect.stringMatching(/^random: corrupt: it cannot be decoded/)]);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100 * 1024);
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
    [{ version: 2 }, /says version 2; this version of the app reads 1\. Update this app\./],
    [{ id: "hmac-sha256" }, /names contents by "hmac-sha256", which this version of the app does not know/],
    [{ codecs: ["none", "aes"] }, /names the codec "aes", which this version of the app does not know/],
    [{ chunker: { name: "rabin", min: 1, average: 2, max: 3, span: 4 } }, /cuts larger files in another way/],
    [{ codecs: 1 }, /format\.json is damaged\. Restore it/],
  ] as const) {
    const text = JSON.stringify({ ...ours, ...theirs });
    await format.upload(text, text.length);
    const restored = await other.restore({ run, to: temporary() });
    for (const { tally } of [await other.verify({ run }), restored, await other.backup(place)])
      expect(tally.stopped).toMatch(reason);
  }
});
