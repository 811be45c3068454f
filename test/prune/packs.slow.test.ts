/** Prunes of destinations in the layout packs: what goes, what stays, in which order. */
import { cp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { newRun } from "../harness/domain.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { backupRequest } from "../../src/backup/request.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { closeRun } from "../../src/ledger/runs.ts";
import type { Drive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";
import { expectKilledAt, Life, mortalDrive } from "./dying-service.ts";
import { many, startPacks, writeLarger } from "./in-packs.ts";

const { azurite, drive, newPlace, blobsOf, chunksOf, expectWhole, backdate, avoided } = startPacks();

test("the packs that only forgotten runs need go, before their records; what others put there stays", async () => {
  const { place, container, at } = newPlace();
  const root = temporary();
  await write(root, many("abc", "first"));
  const first = await drive.backup({ root, ...place });
  await write(root, many("abc", "second"));
  const second = await drive.backup({ root, ...place });
  await write(root, many("b", "third"));
  const wanted = await snapshotOf(root);
  const third = await drive.backup({ root, ...place });
  const id = "ab".repeat(32);
  const foreign = [`packs/${first.run}/mine`, "packs/mine", "chunks/mine", `chunks/cd/${id}`, "mine"];
  for (const name of foreign) await at.getBlockBlobClient(name).upload("mine", 4);
  // It has the name of a pack and of a chunk, and is neither.
  const alike = [`chunks/ab/${id}`, `packs/${first.run}/0-7-0123abcd-0`];
  for (const name of alike) await at.getBlockBlobClient(name).upload("something else", 14);
  const before = await blobsOf(container);
  const [pack] = [...(await drive.outcomes(first.run)).values()].map(({ packed }) => packed!.pack);

  const dry = await drive.prune({ container, keepLast: 1, dryRun: true });
  expect(dry.tally.counts).toMatchObject({ deleted: 5, failed: 0 });
  expect(await blobsOf(container)).toEqual(before);

  const life = new Life();
  const deleted: string[] = [];
  life.before = ({ method, url }) => {
    if (method === "DELETE") deleted.push(url.includes("/packs/") ? "pack" : "record");
  };
  const pruned = await mortalDrive(azurite.connectionString, life).prune({ container, keepLast: 1 });
  expect(pruned).toMatchObject({ kept: [third.run], forgotten: [second.run, first.run] });
  expect(deleted.slice(0, 2)).toEqual(["pack", "record"]);
  expect(pruned.tally.counts).toMatchObject({ deleted: 3, skipped: 2, failed: 0 });
  expect(await blobsOf(container)).toEqual(before.toSpliced(before.indexOf(first.run), 1));
  expect(await at.getBlobClient(`packs/${pack}`).exists()).toBe(false);
  await expectWhole(third.run, wanted);
});

test("while a canceled run may still write nothing goes; then what it and attempts that lost have left goes", async () => {
  const { place, container, at } = newPlace();
  const root = temporary();
  await write(root, many("ab", "first"));
  const first = await drive.backup({ root, ...place });
  const canceled = newRun();
  const request = backupRequest.parse({ root, ...place, mode: "incremental" });
  await listFiles({ run: canceled, part: "0", request }, drive.service, drive.settings);
  await closeRun(new Ledger(drive.service, canceled), { status: "canceled" });
  // It found all of the first run unchanged, which it may record yet.
  await azurite.service.getContainerClient("backup-runs").deleteBlob(`${canceled}/outcomes/0-listed.jsonl`);
  await write(root, many("ab", "second"));
  const wanted = await snapshotOf(root);
  const second = await drive.backup({ root, ...place });
  const [pack] = [...(await drive.outcomes(second.run)).values()].map(({ packed }) => packed!.pack);
  const written = await at.getBlobClient(`packs/${pack}`).downloadToBuffer();
  for (const run of [canceled, second.run])
    await at.getBlockBlobClient(`packs/${run}/0-0-0123abcd-0`).upload(written, written.length);

  const early = await drive.prune({ container, keepLast: 1 });
  expect(early).toMatchObject({ kept: [second.run, canceled], forgotten: [first.run] });
  expect(await blobsOf(container)).toEqual([canceled, first.run, second.run, second.run].sort());
  await backdate(canceled);
  expect((await drive.prune({ container, keepLast: 1 })).forgotten).toEqual([canceled, first.run]);
  expect(await blobsOf(container)).toEqual([second.run]);
  await expectWhole(second.run, wanted);
});

test("a pack of which little is needed is emptied by the next backup, even if the prune or a backup is killed", async () => {
  const { place, container } = newPlace();
  const root = temporary();
  await write(root, many("abcdefgh", "first"));
  const first = await drive.backup({ root, ...place });
  await write(root, many("cdefgh", "second"));
  await drive.backup({ root, ...place, mode: "incremental" });
  await write(root, many("fgh", "third"));
  const third = await drive.backup({ root, ...place, mode: "incremental" });

  const dry = await drive.prune({ container, keepLast: 1, dryRun: true });
  const sparse = (outcomes: Map<string, Outcome>) =>
    [...outcomes.values()]
      .filter(({ outcome }) => outcome === "skipped")
      .map(({ path: name }) => name.split("/")[1]);
  expect(sparse(await drive.outcomes(dry.run))).toEqual([first.run]);
  expect(await avoided(container)).toEqual([]);
  // It is killed when it notes that, and when it has.
  const run = newRun();
  const prune = (by: Drive) => by.prune({ container, keepLast: 1 }, run);
  await expectKilledAt("-avoid.json", 0, azurite, prune);
  expect(await avoided(container)).toEqual([]);
  await expectKilledAt(`${run}/outcomes/0-`, 0, azurite, prune);
  expect(await avoided(container)).toHaveLength(1);
  await prune(drive);
  // Of the second run's pack half is needed, of the first's a quarter.
  expect(sparse(await drive.outcomes(run))).toEqual([first.run]);
  expect(await avoided(container)).toEqual([expect.stringContaining(first.run)]);

  const wanted = await snapshotOf(root);
  const next = { root, ...place, mode: "incremental" };
  const killedAt = async (record: string, after = 0) => {
    const killed = newRun();
    await expectKilledAt(record, after, azurite, (mortal) => mortal.backup(next, killed));
    await closeRun(new Ledger(drive.service, killed), { status: "canceled" });
    await backdate(killed);
    await expectWhole(third.run, wanted);
  };
  await killedAt("/outcomes/0-0000.jsonl");
  await killedAt("/index/", 1);
  expect((await drive.backup(next)).tally.counts).toMatchObject({ copied: 0, unchanged: 8 });
  const last = await drive.prune({ container, keepLast: 1 });
  expect((await blobsOf(container)).filter((of) => of === first.run)).toEqual([]);
  expect(await avoided(container)).toEqual([]);
  await expectWhole(last.kept[0]!, wanted);
});

test("a chunk that runs of two roots have stays as long as one of them does, and goes after the packs that name it", async () => {
  const { place, container } = newPlace();
  const roots = [temporary(), temporary()] as const;
  await writeLarger(roots[0]);
  await cp(roots[0], roots[1], { recursive: true, preserveTimestamps: true });
  const wanted = await snapshotOf(roots[1]);
  const shared = { ...place, allowOtherRoot: true };
  await drive.backup({ root: roots[0], ...shared });
  const chunks = await chunksOf(container);
  const other = await drive.backup({ root: roots[1], ...shared });
  expect(await chunksOf(container)).toEqual(chunks);
  expect(chunks).not.toEqual([]);

  await rm(path.join(roots[0], "larger"));
  await drive.backup({ root: roots[0], ...shared });
  expect((await drive.prune({ container, keepLast: 1 })).forgotten).toHaveLength(1);
  expect(await chunksOf(container)).toEqual(chunks);
  await expectWhole(other.run, wanted);

  await rm(path.join(roots[1], "larger"));
  await write(roots[1], many("abcdefghij", "newer"));
  await drive.backup({ root: roots[1], ...shared });
  const life = new Life();
  const deleted: string[] = [];
  life.before = ({ method, url }) => {
    if (method === "DELETE") deleted.push(/\/packs\/|\/chunks\/|backup-runs/.exec(url)?.[0] ?? url);
  };
  await mortalDrive(azurite.connectionString, life).prune({ container, keepLast: 1 });
  expect([...new Set(deleted)]).toEqual(["/packs/", "/chunks/", "backup-runs"]);
  expect(await chunksOf(container)).toEqual([]);
});

test("a prune stops if the chunks of a file are not known, unless nobody is to keep it", async () => {
  const { place, container, at } = newPlace();
  const root = temporary();
  await writeLarger(root);
  const first = await drive.backup({ root, ...place });
  await write(root, many("a", "second"));
  const second = await drive.backup({ root, ...place, mode: "incremental" });
  const { packed } = (await drive.outcomes(second.run)).get("larger")!;
  const pack = at.getBlockBlobClient(`packs/${packed!.pack}`);
  const whole = await pack.downloadToBuffer();
  const before = await blobsOf(container);
  const torn = Buffer.from(whole);
  torn.fill(0, packed!.offset + 20, packed!.offset + packed!.length);
  for (const spoil of [() => pack.upload(torn, torn.length), () => pack.delete()]) {
    await spoil();
    const { tally } = await drive.prune({ container, keepLast: 1 });
    expect(tally.stopped).toMatch(/Nothing was deleted.*larger/);
    expect(await chunksOf(container)).toEqual(before.filter((name) => name.startsWith("chunks/")));
  }
  await pack.upload(whole, whole.length);
  await rm(path.join(root, "larger"));
  const third = await drive.backup({ root, ...place, mode: "incremental" });
  await pack.delete();
  expect(await drive.prune({ container, keepLast: 1 })).toMatchObject({
    kept: [third.run],
    forgotten: [second.run, first.run],
  });
  expect(await chunksOf(container)).toEqual([]);
});

test("a chunk that a backup finds while a prune is about to delete it stays: the prune has lost its lock", async () => {
  const { place, container } = newPlace();
  const root = temporary();
  await writeLarger(root);
  const wanted = await snapshotOf(root);
  await drive.backup({ root, ...place });
  const aside = path.join(temporary(), "larger");
  await rename(path.join(root, "larger"), aside);
  await drive.backup({ root, ...place });
  const chunks = await chunksOf(container);
  await rename(aside, path.join(root, "larger"));
  const lock = azurite.service.getContainerClient("backup-runs").getBlobClient(`prunes/${container}.json`);
  const life = new Life();
  let backup: ReturnType<typeof drive.backup> | undefined;
  life.before = async ({ url }) => {
    if (!backup && !url.includes("/chunks/")) return;
    backup ??= (async () => {
      // It is held up for longer than its lease lasts.
      const now = performance.now.bind(performance);
      vi.spyOn(performance, "now").mockImplementation(() => now() + 31_000);
      await lock.getBlobLeaseClient().breakLease(0);
      return await drive.backup({ root, ...place });
    })();
    await backup;
  };
  const pruned = await mortalDrive(azurite.connectionString, life).prune({ container, keepLast: 1 });
  vi.restoreAllMocks();
  const { run } = await backup!;
  expect(pruned.tally.stopped).toContain(pruned.run);
  expect(await chunksOf(container)).toEqual(chunks);
  await expectWhole(run, wanted);
});

test("a chunk that a canceled run only found stays while that run may yet record whose it is", async () => {
  const { place, container } = newPlace();
  const root = temporary();
  await writeLarger(root);
  await drive.backup({ root, ...place });
  const aside = path.join(temporary(), "larger");
  await rename(path.join(root, "larger"), aside);
  await drive.backup({ root, ...place });
  await rename(aside, path.join(root, "larger"));
  const wanted = await snapshotOf(root);
  const chunks = await chunksOf(container);

  const canceled = newRun();
  const life = new Life();
  let pruning: ReturnType<typeof drive.prune> | undefined;
  life.before = async ({ method, url }) => {
    // It has looked for the chunks, and is about to store the list of them.
    if (pruning || method !== "PUT" || !url.includes(`/packs/${canceled}/`)) return;
    pruning = (async () => {
      await closeRun(new Ledger(drive.service, canceled), { status: "canceled" });
      return await drive.prune({ container, keepLast: 1 });
    })();
    await pruning;
  };
  await mortalDrive(azurite.connectionString, life).backup({ root, ...place }, canceled);
  expect((await pruning!).forgotten).toHaveLength(1);
  expect(await chunksOf(container)).toEqual(chunks);

  // The next run goes by what the canceled one has recorded.
  const next = await drive.backup({ root, ...place, mode: "incremental" });
  expect(next.tally.counts).toMatchObject({ copied: 0, unchanged: wanted.size, failed: 0 });
  await expectWhole(next.run, wanted);
  await backdate(canceled);
  expect((await drive.prune({ container, keepLast: 1 })).forgotten).toContain(canceled);
  await expectWhole(next.run, wanted);
});

test("an archived pack goes like any other, stays where it is needed, and stops a prune that must read it", async () => {
  const { place, container, at } = newPlace();
  const root = temporary();
  const archive = async (run: string, name: string) => {
    const { packed } = (await drive.outcomes(run)).get(name)!;
    await at.getBlobClient(`packs/${packed!.pack}`).setAccessTier("Archive");
  };
  const next = { root, ...place, mode: "incremental" };
  await write(root, many("abc", "first"));
  const first = await drive.backup(next);
  await write(root, many("abc", "second"));
  const second = await drive.backup(next);
  for (const { run } of [first, second]) await archive(run, "a");
  await drive.prune({ container, keepLast: 1 });
  expect(await blobsOf(container)).toEqual([second.run]);

  await writeLarger(root);
  const third = await drive.backup(next);
  await archive(third.run, "larger");
  const before = await blobsOf(container);
  const { tally } = await drive.prune({ container, keepLast: 1 });
  expect(tally.stopped).toMatch(/Nothing was deleted.*larger: its pack .* archive/s);
  expect(await blobsOf(container)).toEqual(before);

  const wanted = await snapshotOf(root);
  const fourth = await drive.backup(next);
  await expectWhole(fourth.run, wanted);
  await drive.prune({ container, keepLast: 1 });
  expect(await blobsOf(container)).toEqual([...(await chunksOf(container)), fourth.run].sort());
  await expectWhole(fourth.run, wanted);
});
