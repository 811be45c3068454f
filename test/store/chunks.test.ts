/** How larger files lie in a destination of layout `packs`, read by the format alone. */
import { createHash } from "node:crypto";
import { rename, truncate, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { OpenFile } from "../../src/files/read-file.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { forDisk } from "../../src/model/path.ts";
import { readChunks } from "../../src/store/packs/read-chunks.ts";
import { keyOfDestination } from "../../src/ledger/claim.ts";
import { newRun } from "../harness/domain.ts";
import { startDrive } from "../harness/drive.ts";
import { runActivity } from "../harness/functions.ts";
import { orchestrate } from "../harness/orchestrate.ts";
import { bytes, makeTree } from "../harness/tree.ts";
import { chunksOf, decode } from "../packs/reading.ts";
import { temporary } from "../restore/tree.ts";

const MIB = 1024 * 1024;

const { drive } = startDrive();

/** A destination of packs for a tree, as a request. */
async function destinationOf(tree: Record<string, Buffer>) {
  const root = await makeTree(temporary(), tree);
  return { root, container: `test-${newRun()}`, layout: "packs", mode: "incremental" };
}

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

const containerOf = (name: string) => drive.service.getContainerClient(name);

async function contentOf(container: string, outcome: Outcome): Promise<Buffer> {
  const content: Buffer[] = [];
  for (const { id, name, length } of await chunksOf(containerOf(container), outcome)) {
    const blob = await containerOf(container).getBlobClient(name).downloadToBuffer();
    expect(blob.toString("latin1", 0, 8)).toBe("SBKP\x01C\0\0");
    const chunk = decode(blob.subarray(8));
    expect([sha256(chunk), chunk.length]).toEqual([id, length]);
    content.push(chunk);
  }
  return Buffer.concat(content);
}

/** Bytes of each chunk that is stored. */
async function stored(container: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const options = { prefix: "chunks/" };
  for await (const { name, properties } of containerOf(container).listBlobsFlat(options))
    sizes.set(name, properties.contentLength ?? 0);
  return sizes;
}

/** The lengths of a file's chunks, as docs/format.md has it. */
function cut(file: Buffer): number[] {
  const gear = Array.from({ length: 256 }, (_none, byte) =>
    createHash("sha256").update(`site-backup gear ${byte}`).digest().readUInt32LE(),
  );
  const lengths: number[] = [];
  for (let start = 0; start < file.length; start += lengths.at(-1)!) {
    let hash = 0;
    let length = MIB;
    while (length < 16 * MIB && start + length < file.length) {
      hash = (hash * 2 + gear[file[start + length++]!]!) >>> 0;
      if (hash < 2 ** (length <= 4 * MIB ? 8 : 12)) break;
    }
    lengths.push(Math.min(length, file.length - start));
  }
  return lengths;
}

test("larger files are cut where the format says, and their chunks are the file; nothing is stored twice", async () => {
  const random = bytes(16 * MIB);
  const zeros = Buffer.alloc(24 * MIB);
  const tree = { random, zeros, again: random, small: bytes(4 * MIB), short: bytes(4 * MIB + 1, "short") };
  const { container, ...request } = await destinationOf(tree);
  const { run, tally } = await drive.backup({ container, ...request });

  expect(tally.counts).toMatchObject({ copied: 5, failed: 0 });
  const outcomes = await drive.outcomes(run);
  expect(outcomes.get("small")?.packed?.recipe).toBeUndefined();
  const named = new Set<string>();
  for (const name of ["random", "zeros", "again", "short"] as const) {
    const chunks = await chunksOf(containerOf(container), outcomes.get(name)!);
    expect(
      chunks.map(({ length }) => length),
      name,
    ).toEqual(cut(tree[name]));
    expect((await contentOf(container, outcomes.get(name)!)).equals(tree[name]), name).toBe(true);
    for (const { id } of chunks) named.add(`chunks/${id.slice(0, 2)}/${id}`);
  }
  const sizes = await stored(container);
  expect([...sizes.keys()].sort()).toEqual([...named].sort());
  // Two chunks of zeros take next to nothing; what cannot be compressed takes its length and a head.
  const heads = 16 * (sizes.size - 2);
  expect([...sizes.values()].reduce((sum, size) => sum + size)).toBeLessThan(20 * MIB + 1 + heads + 8192);
});

test("a chunk ends at each GiB of a file, whatever is there", async () => {
  const [GIB, folder] = [1024 * MIB, temporary()];
  const name = `${folder}/sparse`;
  await writeFile(name, "");
  await truncate(name, GIB + 20 * MIB);
  const file = await OpenFile.open(forDisk(name), folder, 60_000);
  const cuts: [number, number][] = [];
  try {
    const span = { from: GIB - 20 * MIB, until: Infinity };
    await readChunks(file, span, drive.budget, async ({ length }, at) => void cuts.push([at - GIB, length]));
  } finally {
    await file.close();
  }
  const [long, short] = [16 * MIB, 4 * MIB];
  expect(cuts).toEqual([
    [-20 * MIB, long],
    [-4 * MIB, short],
    [0, long],
    [16 * MIB, short],
  ]);
});

test("a byte inserted at the start of a file, or a new name for it, sends little", async () => {
  const content = bytes(32 * MIB, "inserted");
  const { container, root, ...request } = await destinationOf({
    "a/large": content,
    "b/other": bytes(6 * MIB),
  });
  await drive.backup({ container, root, ...request });
  const before = await stored(container);

  await writeFile(`${root}/a/large`, Buffer.concat([Buffer.from("x"), content]));
  await rename(`${root}/b`, `${root}/c`);
  const { run, tally } = await drive.backup({ container, root, ...request });

  expect(tally.counts).toMatchObject({ copied: 2, failed: 0 });
  const sent = [...(await stored(container))].filter(([name]) => !before.has(name));
  expect(sent.length).toBe(1);
  expect((await contentOf(container, (await drive.outcomes(run)).get("a/large")!)).length).toBe(32 * MIB + 1);

  await writeFile(`${root}/a/large`, Buffer.concat([Buffer.from("x"), content]));
  const third = await drive.backup({ container, root, ...request });
  expect(third.tally.counts).toMatchObject({ copied: 0, unchanged: 2 });
});

test("a chunk that is damaged or missing is named, and stored again by the next backup", async () => {
  const files = { flipped: bytes(5 * MIB, "1"), gone: bytes(5 * MIB, "2"), emptied: bytes(5 * MIB, "3") };
  const { container, root, ...request } = await destinationOf(files);
  const first = await drive.backup({ container, root, ...request });
  const outcomes = await drive.outcomes(first.run);
  const blobOf = async (name: keyof typeof files) => {
    const [first] = await chunksOf(containerOf(container), outcomes.get(name)!);
    return containerOf(container).getBlockBlobClient(first!.name);
  };
  const flipped = await blobOf("flipped");
  const content = await flipped.downloadToBuffer();
  content[99]! ^= 1;
  await flipped.upload(content, content.length);
  await (await blobOf("gone")).delete();
  await (await blobOf("emptied")).upload("", 0);

  expect((await drive.verify({ run: first.run })).tally.failures.sort()).toEqual([
    expect.stringMatching(/^emptied: .*chunks/),
    expect.stringMatching(/^gone: .*chunks/),
  ]);
  // A list of damage that is itself damaged counts as empty, and is written anew.
  const list = containerOf("backup-runs").getBlockBlobClient(
    `destinations/${keyOfDestination({ container, prefix: "" })}-avoid.json`,
  );
  await list.upload("[", 1);
  expect((await drive.verify({ run: first.run, readData: true })).tally.failures.sort()).toEqual([
    expect.stringMatching(/^emptied: .*chunks/),
    expect.stringMatching(/^flipped: corrupt: .*chunks\S+: .*\bname$/),
    expect.stringMatching(/^gone: .*chunks\S+ .*missing$/),
  ]);
  const second = await drive.backup({ container, root, ...request });
  expect(second.tally.counts).toMatchObject({ copied: 3, failed: 0 });
  expect((await drive.verify({ run: first.run, readData: true })).tally.failures).toEqual([]);
  expect(JSON.parse((await list.downloadToBuffer()).toString())).toMatchObject({ chunks: [] });
});

test("chunks that are no longer right are stored again also where no pack is left", async () => {
  const content = bytes(12 * MIB, "packs gone");
  const { container, root, ...request } = await destinationOf({ file: content });
  const first = await drive.backup({ container, root, ...request });
  const chunks = await chunksOf(containerOf(container), (await drive.outcomes(first.run)).get("file")!);
  expect(chunks.length).toBeGreaterThan(2);
  for await (const { name } of containerOf(container).listBlobsFlat({ prefix: "packs/" }))
    await containerOf(container).deleteBlob(name);
  await containerOf(container).getBlockBlobClient(chunks[1]!.name).upload("", 0);
  // The first chunk is a new one.
  content[0]! ^= 1;
  await writeFile(`${root}/file`, content);
  const second = await drive.backup({ container, root, ...request });
  expect((await drive.verify({ run: second.run, readData: true })).tally).toMatchObject({ failures: [] });
  const stored = await contentOf(container, (await drive.outcomes(second.run)).get("file")!);
  expect(stored.equals(content)).toBe(true);
});

test("a huge file goes by spans, each of which may be delivered twice at the same time", async () => {
  const huge = bytes(24 * MIB, "huge");
  const { container, ...request } = await destinationOf({ huge });
  const id = newRun();
  const means = { storage: drive.service, budget: drive.budget };
  const settings = { ...drive.settings, largeFile: 8 * MIB, listMs: 1 };
  let spans = 0;
  await orchestrate(
    { name: "backupSiteContent", input: { container, ...request }, id },
    async (name, input) => {
      const deliver = () => runActivity(name, input, { ...means, settings });
      if (name !== "copyLargeFile") return await deliver();
      spans++;
      return (await Promise.all([deliver(), deliver()]))[spans % 2];
    },
  );

  expect(spans).toBeGreaterThan(3);
  const outcome = (await drive.outcomes(id)).get("huge")!;
  expect((await chunksOf(containerOf(container), outcome)).map(({ length }) => length)).toEqual(cut(huge));
  expect((await contentOf(container, outcome)).equals(huge)).toBe(true);
});

test("files that grow after they were listed make no pack much larger", async () => {
  const names = Array.from({ length: 12 }, (_none, file) => `f${file}`);
  const { container, root, ...request } = await destinationOf(
    Object.fromEntries(names.map((name) => [name, bytes(10, name)])),
  );
  const means = { storage: drive.service, budget: drive.budget, settings: drive.settings };
  const id = newRun();
  await orchestrate(
    { name: "backupSiteContent", input: { container, root, ...request }, id },
    async (name, input) => {
      if (name === "copyFileToBlob")
        await Promise.all(names.map((each) => writeFile(`${root}/${each}`, bytes(3 * MIB, each))));
      return await runActivity(name, input, means);
    },
  );
  for await (const { properties } of containerOf(container).listBlobsFlat({ prefix: "packs/" }))
    expect(properties.contentLength).toBeLessThan(20 * MIB);
  const to = temporary();
  const { tally } = await drive.restore({ run: id, to });
  expect(tally.counts).toMatchObject({ copied: names.length, failed: 0, bytes: names.length * 3 * MIB });
});
