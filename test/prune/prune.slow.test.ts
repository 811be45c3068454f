/** What a prune deletes and what it leaves, by its own modules on Azurite. */
import { createHash, randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import { expect, onTestFinished, test, vi } from "vitest";
import { newRun } from "../harness/domain.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { backupRequest } from "../../src/backup/request.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { closeRun, recordUnstarted } from "../../src/ledger/runs.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";
import { dyingService, Life } from "./dying-service.ts";

const { azurite, drive } = startDrive();

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

/** Makes a run one of another time. */
async function backdate(run: string, started: string): Promise<void> {
  const blob = azurite.service.getContainerClient("backup-runs").getBlockBlobClient(`${run}/run.json`);
  const record = JSON.parse((await blob.downloadToBuffer()).toString("utf8")) as object;
  const body = JSON.stringify({ ...record, started, finished: started });
  await blob.upload(body, Buffer.byteLength(body));
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
  // Of the prune's own ledger the lists are gone, which name all that the container holds.
  expect((await recordsOf(run)).filter((name) => name.includes("/lists/"))).toEqual([]);
  const outcomes = await drive.outcomes(run);
  expect(files(outcomes).map(({ path: name, size }) => `${name} ${size}`)).toEqual(
    foretold.map(({ path: name, size }) => `${name} ${size}`),
  );
  expect(foretold.map(({ path: name }) => name).sort()).toEqual(["changes", "d/moved", "gone"]);
  expect(outcomes.get(`backup-runs/${second.run}`)?.reason).toMatch(/stays: last snapshot$/);
  expect(await restored(second.run)).toEqual(wanted);
  await expect(drive.restore({ run: first.run, to: temporary() })).resolves.toMatchObject({
    tally: { stopped: expect.stringMatching(new RegExp(` ${first.run} .*prune`)) as string },
  });
  expect((await drive.prune({ container, keepLast: 1 })).tally.counts).toMatchObject({ bytes: 0 });
});

test("a content that several runs have is kept once; a blob stays as long as a snapshot of it does", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  const runs: string[] = [];
  for (const [index, content] of ["A", "BB", "A", "CCC"].entries()) {
    await write(root, { f: content, [`only${index}`]: "x" });
    runs.push((await drive.backup({ root, container })).run);
    if (index === 0) continue;
    await rm(path.join(root, `only${index - 1}`));
  }
  await rm(path.join(root, "f"));
  runs.push((await drive.backup({ root, container })).run);
  expect((await contentsOf(at)).filter((line) => line.startsWith("f"))).toEqual([
    "f=CCC",
    "f@=A",
    "f@=A",
    "f@=BB",
  ]);
  await backdate(runs[0]!, "2024-01-01T00:00:00.000Z");
  await backdate(runs[2]!, "2025-01-01T00:00:00.000Z");
  const wanted = await restored(runs[0]!);
  const pruned = await drive.prune({ container, keepYearly: 3 });
  expect(pruned.kept).toEqual([runs[4], runs[2], runs[0]]);
  // Run 3 wrote CCC, and is forgotten; the blob cannot go without its snapshot.
  expect((await contentsOf(at)).filter((line) => line.startsWith("f"))).toEqual(["f=CCC", "f@=A"]);
  expect(await restored(runs[0]!)).toEqual(wanted);
  await restored(runs[2]!);
  await drive.prune({ container, keepLast: 1 });
  expect(await contentsOf(at)).toEqual(["only3=x"]);
});

test("a slice whose time is up before all of its ledgers are gone continues, and counts them once", async () => {
  const { container } = newPlace();
  const root = temporary();
  await write(root, { f: "f" });
  const runs = [];
  for (let time = 0; time < 4; time++) runs.push((await drive.backup({ root, container })).run);
  const dry = await drive.prune({ container, keepLast: 1, dryRun: true });

  const life = new Life();
  let late = 0;
  let deletes = 0;
  const clock = performance.now.bind(performance);
  const now = vi.spyOn(performance, "now").mockImplementation(() => clock() + late);
  onTestFinished(() => now.mockRestore());
  life.before = ({ method, url }) => {
    if (method === "DELETE" && url.includes("/backup-runs/") && ++deletes % 5 === 0) late += 100_000;
  };
  const slow = new Drive(dyingService(azurite.connectionString, life));
  const { tally } = await slow.prune({ container, keepLast: 1 });
  expect(tally).toMatchObject({ failures: [], counts: { deleted: dry.tally.counts.deleted! } });
  expect(tally.counts.bytes).toBe(dry.tally.counts.bytes);
  for (const run of runs.slice(0, 3)) expect(await recordsOf(run)).toEqual([]);
});

test("a lease that outlasts its prune is told as that, not as a prune with a strange id", async () => {
  const { container } = newPlace();
  const lock = azurite.service
    .getContainerClient("backup-runs")
    .getBlockBlobClient(`prunes/${container}.json`);
  const released = JSON.stringify({ run: null, prefix: "" });
  await lock.upload(released, Buffer.byteLength(released));
  const lease = lock.getBlobLeaseClient(randomUUID());
  await lease.acquireLease(60);
  const { tally } = await drive.prune({ container, keepLast: 1 });
  expect(tally.stopped).toContain(container);
  await lease.releaseLease();
});

test("what the product did not write is never touched", async () => {
  const { container, at } = newPlace();
  await at.create();
  const put = async (name: string, content: string, metadata = {}) =>
    await at.getBlockBlobClient(name).upload(content, content.length, { metadata });
  await put("mine", "theirs before");
  const root = temporary();
  await write(root, { mine: "1", taken: "2", gone: "3" });
  const first = await drive.backup({ root, container });
  // Copies of a blob have its metadata; a tool of somebody's may have a "run" of its own.
  const { metadata = {} } = await at.getBlobClient("gone").getProperties();
  await put("copy of gone", "3", metadata);
  await put("elsewhere", "x", { run: "17" });
  await put("taken", "theirs since", { run: first.run });
  await rm(path.join(root, "gone"));
  await rm(path.join(root, "mine"));
  await drive.backup({ root, container });
  await rm(path.join(root, "taken"));
  await drive.backup({ root, container });
  const { tally } = await drive.prune({ container, keepLast: 1 });
  expect(tally.counts.failed).toBe(0);
  expect(await contentsOf(at)).toEqual([
    "copy of gone=3",
    "elsewhere=x",
    "mine=1",
    "mine@=theirs before",
    "taken=2",
    "taken@=theirs since",
  ]);
});

test("a run that was due and not started is no backup: its record goes once a later run stands, and holds nothing up", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  await write(root, { f: "1" });
  const first = await drive.backup({ root, container });
  const place = { root, container, prefix: "", mode: "incremental" } as const;
  const due = async (status: "skipped" | "failed", what: { kind?: "prune" } = {}) => {
    const ledger = new Ledger(drive.service, newRun());
    await recordUnstarted(ledger, { ...place, ...what }, { status, message: "The run is still going on." });
    return ledger.runId;
  };
  const before = [await due("skipped"), await due("skipped", { kind: "prune" }), await due("failed")];
  await write(root, { f: "22" });
  const second = await drive.backup({ root, container });
  const since = [await due("skipped"), await due("skipped", { kind: "prune" }), await due("failed")];

  const dry = await drive.prune({ container, keepLast: 1, dryRun: true });
  const { run, kept, forgotten, tally } = await drive.prune({ container, keepLast: 1 });
  // What failed is told of like a run that failed at once; what was skipped is neither kept nor forgotten.
  expect(kept).toEqual([since[2], second.run]);
  expect(forgotten).toEqual([before[2], first.run]);
  expect(tally.counts).toMatchObject({ deleted: 5, failed: 0 });
  expect(dry.tally.counts).toMatchObject({ deleted: 5 });
  expect((await drive.outcomes(run)).get(`backup-runs/${before[0]}`)?.reason).toMatch(/skipped/);
  for (const id of [...before, first.run]) expect(await recordsOf(id)).toEqual([]);
  for (const id of since) expect(await recordsOf(id)).toHaveLength(2);
  expect(await contentsOf(at)).toEqual(["f=22"]);
});

test("what runs of an overlapping destination need stays", async () => {
  const { container, at } = newPlace();
  const outer = temporary();
  await write(outer, { "a/f": "shared", "a/g": "outer" });
  const whole = await drive.backup({ root: outer, container });
  const inner = temporary();
  await write(inner, { f: "shared", h: "inner" });
  const first = await drive.backup({ root: inner, container, prefix: "a", allowOtherRoot: true });
  await rm(path.join(inner, "f"));
  await rm(path.join(inner, "h"));
  await write(inner, { i: "later" });
  await drive.backup({ root: inner, container, prefix: "a", allowOtherRoot: true });
  const pruned = await drive.prune({ container, prefix: "a", keepLast: 1 });
  expect(pruned.forgotten).toEqual([first.run]);
  expect(await contentsOf(at)).toEqual(["a/f=shared", "a/g=outer", "a/i=later"]);
  await restored(whole.run);
});

test("what a run that was just canceled may yet record stays: its own blobs, and those it may have found unchanged", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  await write(root, { same: "same", other: "other" });
  await drive.backup({ root, container });
  const canceled = newRun();
  const request = backupRequest.parse({ root, container, mode: "incremental" });
  await listFiles({ run: canceled, part: "0", request }, drive.service, drive.settings);
  const ledger = new Ledger(drive.service, canceled);
  await closeRun(ledger, { status: "canceled" });
  await azurite.service.getContainerClient("backup-runs").deleteBlob(`${canceled}/outcomes/0-listed.jsonl`);
  // As an activity does that continues: a blob of its own whose outcome is not recorded yet.
  const { metadata = {} } = await at.getBlobClient("other").getProperties();
  await at.getBlockBlobClient("other").createSnapshot();
  await at.getBlockBlobClient("other").upload("lingers", 7, {
    metadata: { ...metadata, run: canceled },
    blobHTTPHeaders: { blobContentMD5: createHash("md5").update("lingers").digest() },
  });
  await rm(path.join(root, "same"));
  await write(root, { other: "newer", last: "last" });
  await drive.backup({ root, container });
  await rm(path.join(root, "other"));
  await drive.backup({ root, container });
  const { kept } = await drive.prune({ container, keepLast: 1 });
  expect(kept).toContain(canceled);
  expect(await contentsOf(at)).toEqual(["last=last", "other=newer", "other@=lingers", "same=same"]);
  // An hour later nothing of it can be at work.
  const body = await ledger.read("run.json");
  await ledger.write(
    "run.json",
    body!.replace(/"finished":"[^"]+"/, '"finished":"2026-01-01T00:00:00.000Z"'),
  );
  await drive.prune({ container, keepLast: 1 });
  expect(await contentsOf(at)).toEqual(["last=last"]);
});

test("a damaged record stops the prune where a run that stays needs it, and only there", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  await write(root, { f: "1" });
  const first = await drive.backup({ root, container });
  await write(root, { f: "22" });
  const second = await drive.backup({ root, container });
  const tear = async (run: string) => {
    const runs = azurite.service.getContainerClient("backup-runs");
    for await (const { name } of runs.listBlobsFlat({ prefix: `${run}/outcomes/` })) {
      await runs.getBlockBlobClient(name).upload('{"path":', 8);
    }
  };
  await tear(second.run);
  const { tally } = await drive.prune({ container, keepLast: 1 });
  expect(tally.stopped).toMatch(/Nothing was deleted.*is torn/);
  expect(await contentsOf(at)).toEqual(["f=22", "f@=1"]);
  const third = await drive.backup({ root, container });
  await tear(first.run);
  expect((await drive.prune({ container, keepLast: 1 })).tally.stopped).toBeUndefined();
  await restored(third.run);
});

/** Overwrites records of a run as a damaged disk would, or takes them away. */
async function spoil(run: string, names: readonly string[], content: string | undefined): Promise<void> {
  const runs = azurite.service.getContainerClient("backup-runs");
  for (const name of names) {
    const blob = runs.getBlockBlobClient(`${run}/${name}`);
    await (content === undefined ? blob.delete() : blob.upload(content, content.length));
  }
}

async function forgetInIndex(run: string): Promise<void> {
  const runs = azurite.service.getContainerClient("backup-runs");
  for (const name of await recordsOf(run)) if (name.startsWith("index/")) await runs.deleteBlob(name);
}

const BOTH = ["run.json", "lists/0.json"];

test("of a run whose summary and listing are both damaged all stays that its outcomes name", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  await write(root, { f: "1", gone: "only there" });
  const first = await drive.backup({ root, container });
  await write(root, { f: "22" });
  await rm(path.join(root, "gone"));
  await drive.backup({ root, container });
  await write(root, { f: "333" });
  const third = await drive.backup({ root, container });
  const sound = await Promise.all(BOTH.map((name) => new Ledger(drive.service, first.run).read(name)));
  await spoil(first.run, BOTH, '{"version":1,"id":');

  // The index of runs tells where it belongs.
  const pruned = await drive.prune({ container, keepLast: 1 });
  expect(pruned.kept.sort()).toEqual([first.run, third.run].sort());
  expect(await contentsOf(at)).toEqual(["f=333", "f@=1", "gone=only there"]);
  // Where that is gone as well nothing tells.
  await forgetInIndex(first.run);
  const { tally } = await drive.prune({ container, keepLast: 1 });
  expect(tally.stopped).toMatch(
    new RegExp(`${first.run}/run.json and .*${first.run}/lists/0.json are damaged`),
  );
  expect(tally.stopped).toMatch(new RegExp(`delete .* ${first.run} .*backup-runs`));
  expect(await contentsOf(at)).toHaveLength(3);
  await new Ledger(drive.service, first.run).write("lists/0.json", sound[1]!);
  await drive.prune({ container, keepLast: 1 });
  const verified = await drive.verify({ run: first.run, readData: true });
  expect(verified.tally.counts).toMatchObject({ failed: 0, unchanged: 2 });
});

test("what is left of no backup stops no prune", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  await write(root, { f: "1", "d/g": "2" });
  const first = await drive.backup({ root, container });
  await write(root, { f: "22" });
  const second = await drive.backup({ root, container });
  const to = temporary();
  const restored = await drive.restore({ run: second.run, to });
  const again = await drive.restore({ run: second.run, to, overwrite: "always" });
  const verified = await drive.verify({ run: second.run, readData: true });
  const dry = await drive.prune({ container, keepLast: 1, dryRun: true });
  // Of some the index still tells what they are, of the others their plan or decision.
  await spoil(again.run, BOTH, "{");
  for (const { run } of [restored, verified, dry]) {
    await forgetInIndex(run);
    await spoil(run, ["run.json"], "{");
  }
  const nothing = randomUUID();
  await new Ledger(drive.service, nothing).write("run.json", "{");
  // An activity of a run that was forgotten recorded what it did.
  await new Ledger(drive.service, randomUUID()).write("outcomes/0-0000.jsonl", '{"path":"f"}\n');

  const pruned = await drive.prune({ container, keepLast: 1 });
  expect(pruned.tally.stopped).toBeUndefined();
  expect(pruned.forgotten).toEqual([first.run]);
  expect(await contentsOf(at)).toEqual(["d/g=2", "f=22"]);
});

test("a newer version's ledger stops the prunes of its own container only", async () => {
  const places = [newPlace(), newPlace()];
  const root = temporary();
  const runs: string[] = [];
  for (const [index, { container }] of places.entries()) {
    await write(root, { f: "1" });
    await drive.backup({ root, container });
    await write(root, { f: `2${index}` });
    runs.push((await drive.backup({ root, container })).run);
  }
  const newer = new Ledger(drive.service, runs[0]!);
  await newer.write("run.json", JSON.stringify({ version: 2, container: places[0]!.container }));
  const listing = JSON.stringify({ version: 2, request: { container: places[0]!.container } });
  const byListing = new Ledger(drive.service, randomUUID());
  await byListing.write("lists/0.json", listing);
  const other = await drive.prune({ container: places[1]!.container, keepLast: 1 });
  expect(other.tally.stopped).toBeUndefined();
  expect(await contentsOf(places[1]!.at)).toEqual(["f=21"]);
  for (const run of [newer, byListing]) {
    const { tally } = await drive.prune({ container: places[0]!.container, keepLast: 1 });
    expect(tally.stopped).toContain("newer version");
    await spoil(run.runId, run === newer ? ["run.json", "lists/0.json"] : ["lists/0.json"], undefined);
  }
});

// Last, for a ledger that cannot be read stops every prune of the account.
test("a listing of a newer version, all that is left to know a run by, stops the prune by name", async () => {
  const { container, at } = newPlace();
  const root = temporary();
  await write(root, { f: "1" });
  const { run } = await drive.backup({ root, container });
  const runs = azurite.service.getContainerClient("backup-runs");
  await runs.deleteBlob(`${run}/run.json`);
  await runs.getBlockBlobClient(`${run}/lists/0.json`).upload('{"version":2}', 13);
  expect((await drive.prune({ container, keepLast: 1 })).tally.stopped).toMatch(
    new RegExp(`${run} .*newer version`),
  );
  expect(await contentsOf(at)).toEqual(["f=1"]);
});
