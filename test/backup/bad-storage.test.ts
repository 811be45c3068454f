/** Flipped bits, refusals and a death in a large file: a short form of rows 6, 8 and 2 of test/faults, without a host. */
import { rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAYOUTS } from "../../src/model/names.ts";
import { expectSameTree, readBlobs } from "../harness/blobs.ts";
import { newRun, startDomain, type Domain } from "../harness/domain.ts";
import { Drive } from "../harness/drive.ts";
import { flipBits } from "../harness/flip-bits.ts";
import { isWrite, type StorageRequest } from "../harness/storage-proxy.ts";
import { bytes, bytesOf, makeFolder, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";
import { Life, mortalDrive } from "../prune/dying-service.ts";

const MIB = 1024 * 1024;

let domain: Domain;
let folder: string;
beforeAll(async () => {
  domain = await startDomain();
  folder = await makeFolder("bad-storage");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each(LAYOUTS)("a bit flipped on the wire is refused, and the data sent again: %s", async (layout) => {
  const container = `flipped-${layout}`;
  const drive = new Drive(domain.service, domain.settings);
  const root = await makeTree(path.join(folder, layout), {
    ...manyFiles(20, 10),
    "larger.bin": bytes(5 * MIB),
  });
  const tree = await readTree(root);
  const flipped = flipBits(domain.proxy, () => 1, container);
  const { run, tally } = await drive.backup({ root, container, layout });
  expect(tally.counts).toMatchObject({ copied: tree.size, failed: 0, bytes: bytesOf(tree) });
  const damaged = flipped.up.filter(({ bytes: length }) => length > 0);
  expect(damaged.length).toBeGreaterThan(0);
  for (const request of damaged) expect(request.status, JSON.stringify(request)).toBeGreaterThanOrEqual(400);

  const fetched = flipBits(domain.proxy, () => 1, container);
  const to = path.join(folder, `${layout}-restored`);
  expect((await drive.restore({ run, to })).tally.counts).toMatchObject({ copied: tree.size, failed: 0 });
  expect(fetched.down.length).toBeGreaterThan(0);
  const restored = await readTree(to);
  for (const [name, { content }] of tree)
    expect(restored.get(name)?.content.equals(content), name).toBe(true);
  domain.proxy.before = () => undefined;
});

test("storage that rejects requests stops the run, and the next one sends only what is missing", async () => {
  const container = "refused";
  const drive = new Drive(domain.service, domain.settings);
  const root = await makeTree(path.join(folder, container), manyFiles(120));
  const sent = () =>
    domain.proxy.requests.filter((it) => isWrite(it) && it.container === container && (it.status ?? 0) < 300);
  domain.proxy.before = (request) =>
    isWrite(request) && request.container === container && sent().length >= 40 ? FORBIDDEN : undefined;
  const { tally } = await drive.backup({ root, container });
  domain.proxy.before = () => undefined;
  expect(tally.stopped).toBeDefined();
  const before = sent().length;
  expect(before).toBeLessThan(120);

  const next = await drive.backup({ root, container, mode: "incremental" });
  expect(next.tally.counts).toMatchObject({ copied: 120 - before, unchanged: before, failed: 0 });
  expect(sent()).toHaveLength(120);
});

test("a process that dies in a large file: the run sends again only what was in flight", async () => {
  const container = "died";
  const settings = { ...domain.settings, largeFile: MIB };
  const root = await makeTree(path.join(folder, container), { "large.bin": bytes(40 * MIB - 1) });
  const isBlock = ({ method, comp }: StorageRequest) => method === "PUT" && comp === "block";
  const blocks = () => domain.proxy.requests.filter((it) => isBlock(it) && it.container === container);
  const life = new Life();
  life.before = ({ method, url }) => {
    if (method === "PUT" && url.includes("comp=block&") && blocks().length >= 3) life.left = 0;
  };
  const run = newRun();
  await expect(
    mortalDrive(domain.proxy.connectionString, life, settings).backup({ root, container }, run),
  ).rejects.toThrow("killed");
  const first = blocks().length;
  expect(first).toBeGreaterThanOrEqual(3);

  const { tally } = await new Drive(domain.service, settings).backup({ root, container }, run);
  expect(tally.counts).toMatchObject({ copied: 1, failed: 0, bytes: 40 * MIB - 1 });
  expect(blocks().length).toBe(5);
  expectSameTree(await readBlobs(domain.service.getContainerClient(container)), await readTree(root), run);
});
