/** Destinations of packs whose blobs are damaged in any way: what a restore and a verification make of them, and what heals them. */
import { hash, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readBlobs } from "../harness/blobs.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { bytes, makeTree } from "../harness/tree.ts";
import { snapshotOf, temporary } from "../restore/tree.ts";
import { blobDamage, damagedBlobs, type BlobDamage } from "./blob-damage.ts";
import { fuzz } from "./fuzz.ts";

/** Files of more bytes are stored as chunks. */
const LARGE = 150_000;

/** Files in shared frames, in frames of their own and in chunks, compressed and not. */
async function makeSite(): Promise<string> {
  const lines = Array.from({ length: 50_000 }, (_none, line) => `${line}\n`).join("");
  const root = await makeTree(temporary(), {
    changes: "first",
    "d/same": "same ".repeat(2_000),
    "d/equal": "same ".repeat(2_000),
    empty: "",
    "random.bin": bytes(100_000),
    "text.txt": lines.slice(0, 100_000),
    "larger.bin": bytes(160_000, "larger"),
    "larger.txt": lines.slice(0, 200_000),
  });
  await symlink("d/same", path.join(root, "link"));
  return root;
}

/** What each name is, contents by their hashes. */
async function seen(root: string): Promise<Map<string, string>> {
  const files = [...(await snapshotOf(root))].filter(([, node]) => !node.startsWith("directory"));
  return new Map(files.map(([name, node]) => [name, hash("sha256", node)]));
}

/** The files that failed. */
const namedIn = ({ tally }: { tally: { failures: string[] } }) =>
  tally.failures.map((failure) => failure.slice(0, failure.indexOf(": "))).sort();

interface Apps {
  writer: Drive;
  reader: Drive;
}

async function tryDamage(
  { writer, reader }: Apps,
  root: string,
  damage: readonly BlobDamage[],
  into: string,
): Promise<void> {
  const container = `damaged-${randomUUID()}`;
  const at = writer.service.getContainerClient(container);
  const place = { root, container, layout: "packs", mode: "incremental" };
  const policy = { container, keepLast: 1 };
  const runs: { run: string; wanted: Map<string, string> }[] = [];
  for (const content of ["first", "second"]) {
    await writeFile(path.join(root, "changes"), content);
    runs.push({ run: (await writer.backup(place)).run, wanted: await seen(root) });
  }
  const blobs = new Map([...(await readBlobs(at))].map(([name, { content }]) => [name, content]));
  const after = damagedBlobs(blobs, damage);
  for (const [name, content] of blobs) {
    const now = after.get(name);
    const blob = at.getBlockBlobClient(name);
    if (now === undefined) await blob.delete();
    else if (!now.equals(content)) await blob.upload(now, now.length);
  }

  const [{ run }] = runs as [(typeof runs)[0]];
  const expectRefused = async (): Promise<void> => {
    const to = path.join(into, "none");
    for (const { tally } of [await reader.restore({ run, to }), await writer.backup(place)])
      expect(tally.stopped).toMatch(/format\.json/);
    expect((await writer.prune({ ...policy, dryRun: true })).tally.stopped).toBeDefined();
    const format = blobs.get("format.json")!;
    await at.getBlockBlobClient("format.json").upload(format, format.length);
  };
  if ((await reader.verify({ run })).tally.stopped !== undefined) await expectRefused();
  const restored = async (some: (typeof runs)[0]): Promise<string[]> => {
    const to = path.join(into, randomUUID());
    const ended = await reader.restore({ run: some.run, to });
    expect(ended.tally.stopped).toBeUndefined();
    const there = await seen(to);
    expect([...there].filter(([name, is]) => some.wanted.get(name) !== is)).toEqual([]);
    expect([...there.keys(), ...namedIn(ended)].sort()).toEqual([...some.wanted.keys()].sort());
    return namedIn(ended);
  };
  for (const each of runs) {
    const lost = await restored(each);
    expect(namedIn(await reader.verify({ run: each.run, readData: true }))).toEqual(lost);
  }

  const { wanted } = runs.at(-1)!;
  const heal = async (): Promise<{ healed: string; lost: string[] }> => {
    const next = await writer.backup(place);
    expect(next.tally).toMatchObject({ failures: [], counts: { failed: 0 } });
    return { healed: next.run, lost: namedIn(await reader.verify({ run: next.run, readData: true })) };
  };
  let { healed, lost } = await heal();
  // A damaged chunk is seen only once a list of chunks that names it can be read.
  if (lost.length > 0) ({ healed, lost } = await heal());
  expect(lost).toEqual([]);
  expect((await writer.prune(policy)).tally).toMatchObject({ failures: [], counts: { failed: 0 } });
  expect(await restored({ run: healed, wanted })).toEqual([]);
}

/** FUZZ_RUNS tries more, FUZZ_SEED what failed again. */
export function testDamagedPacks(cases: number): void {
  const { azurite, drive } = startDrive();
  const writer = new Drive(azurite.service, { largeFile: LARGE });
  const damage = fc.array(blobDamage, { minLength: 1, maxLength: 3 });

  test(
    `${cases} destinations whose blobs are damaged give right contents, or name what is lost, and are healed`,
    async () => {
      const root = await makeSite();
      const into = temporary();
      const before = process.resourceUsage().maxRSS;
      const property = fc.asyncProperty(damage, fc.boolean(), async (some, inBatches) => {
        await tryDamage({ writer, reader: inBatches ? drive : writer }, root, some, into);
        rmSync(into, { recursive: true });
        // The emulator looks through a whole container for each list.
        for await (const { name } of azurite.service.listContainers())
          await azurite.service.deleteContainer(name);
      });
      await fc.assert(property, { ...fuzz(cases), endOnFailure: true });
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024);
    },
    60_000 + cases * 10_000,
  );
}
