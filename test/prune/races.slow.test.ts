/** Prunes beside backups, restores and other prunes, and prunes that are killed. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { rm } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { newRun } from "../harness/domain.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { backupRequest } from "../../src/backup/request.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { PruneLock } from "../../src/ledger/prune-lock.ts";
import { readRun } from "../../src/ledger/run-record.ts";
import { closeRun, openRun } from "../../src/ledger/runs.ts";
import { LAYOUTS, type Layout } from "../../src/model/names.ts";
import { planRestore } from "../../src/restore/plan-restore.ts";
import { parseRestoreRequest } from "../../src/restore/request.ts";
import { decidePrune } from "../../src/prune/decide-prune.ts";
import { pruneRequest } from "../../src/prune/request.ts";
import { startDrive, type Drive } from "../harness/drive.ts";
import { full } from "../harness/faults.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";
import { dyingService, Life, mortalDrive } from "./dying-service.ts";

const { azurite, drive } = startDrive();

/** Where the kill comes: at so many requests, evenly. */
const KILLS = full ? 16 : 6;

/** A destination with runs to forget, the last of them `first`, and one to keep, which needs blobs and snapshots of theirs. */
async function twoRuns(layout: Layout = "files") {
  const container = `races-${randomUUID()}`;
  const root = temporary();
  await write(root, { same: "same" });
  // What is to stay in a pack of its own: it goes as a whole, or not at all.
  const earlier = layout === "packs" ? [(await drive.backup({ root, container, layout })).run] : [];
  await write(root, { changes: "old", gone: "gone" });
  const first = await drive.backup({ root, container, layout });
  await write(root, { changes: "newer" });
  await rm(path.join(root, "gone"));
  const second = await drive.backup({ root, container, layout, mode: "incremental" });
  const old = [first.run, ...earlier];
  return { container, root, old, first: first.run, second: second.run, wanted: await snapshotOf(root) };
}

async function expectWhole(run: string, wanted: Map<string, string>): Promise<void> {
  const to = temporary();
  expect((await drive.restore({ run, to })).tally).toMatchObject({ failures: [], counts: { failed: 0 } });
  expect(await snapshotOf(to)).toEqual(wanted);
}

async function blobsOf(container: string): Promise<string[]> {
  const names: string[] = [];
  const blobs = azurite.service.getContainerClient(container).listBlobsFlat({ includeSnapshots: true });
  for await (const { name, snapshot } of blobs) names.push(snapshot ? `${name}@` : name);
  return names;
}

test.each(LAYOUTS)("a prune gives way to a backup that runs, or was just started: %s", async (layout) => {
  const { container, root } = await twoRuns(layout);
  const before = await blobsOf(container);
  const run = newRun();
  const request = backupRequest.parse({ root, container, layout, mode: "incremental" });
  await openRun(new Ledger(azurite.service, run), request);
  const early = await drive.prune({ container, keepLast: 1 });
  expect(early.tally.stopped).toContain(run);
  await listFiles({ run, part: "0", request }, drive.service, drive.settings);
  const { tally } = await drive.prune({ container, keepLast: 1 });
  expect(tally.stopped).toContain(run);
  expect(await blobsOf(container)).toEqual(before);
  // It did not keep the lock.
  await closeRun(new Ledger(azurite.service, run), { status: "completed", counts: tally.counts });
  expect((await drive.prune({ container, keepLast: 1 })).tally.stopped).toBeUndefined();
});

test.each(LAYOUTS)(
  "a backup and a prune give way to a prune that is at work; after a crash they need not wait for it: %s",
  async (layout) => {
    const { container, root, second, wanted } = await twoRuns(layout);
    const at = azurite.service.getContainerClient("backup-runs").getBlobClient(`prunes/${container}.json`);
    const id = newRun();
    const life = new Life();
    const mortal = mortalDrive(azurite.connectionString, life);
    const given: unknown[] = [];
    life.before = async () => {
      // While it deletes the first blob.
      if (given.length > 0 || (await readRun(new Ledger(drive.service, id)))?.started === undefined) return;
      if ((await new Ledger(drive.service, id).read("lists/contents-0.json")) === undefined) return;
      given.push("begun");
      given.push((await drive.prune({ container, keepLast: 1 })).tally.stopped);
      given.push((await drive.backup({ root, container, layout })).tally.stopped);
      // The engine is slow, the lease runs out, and a backup begins.
      await at.getBlobLeaseClient().breakLease(0);
      const after = drive.backup({ root, container, layout, mode: "incremental" });
      given.push(await after.then(({ run }) => run, String));
    };
    const pruned = await mortal.prune({ container, keepLast: 1 }, id);
    expect(given).toEqual([
      "begun",
      expect.stringContaining(id),
      expect.stringContaining(id),
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ]);
    expect(pruned.tally.stopped).toContain(id);
    for (const run of [second, String(given[3])]) await expectWhole(run, wanted);
  },
);

test.each([
  ["held up", () => moveClock(performance, 31_000)],
  // While a machine sleeps its steady clock stands still.
  ["asleep", () => moveClock(Date, 31_000)],
  ["held up while the clock is set back", () => moveClock(Date, -3_600_000)],
])("a prune that is %s while it deletes, so that a backup begins, deletes no more", async (_how, passes) => {
  const container = `races-${randomUUID()}`;
  const root = temporary();
  const many = Array.from({ length: 60 }, (_none, index) => [`gone${index}`, `gone ${index}`] as const);
  await write(root, { same: "same", ...Object.fromEntries(many) });
  await drive.backup({ root, container });
  for (const [name] of many) await rm(path.join(root, name));
  await drive.backup({ root, container, mode: "incremental", acceptFewer: true });
  const wanted = await snapshotOf(root);
  const life = new Life();
  const mortal = mortalDrive(azurite.connectionString, life);
  const lock = azurite.service.getContainerClient("backup-runs").getBlobClient(`prunes/${container}.json`);
  let heldUp: Promise<string> | undefined;
  life.before = async ({ method, url }) => {
    if (!heldUp && (method !== "DELETE" || !url.includes(`/${container}/`))) return;
    // With all that it has under way, and for longer than the lease is good for.
    heldUp ??= (async () => {
      passes();
      await lock.getBlobLeaseClient().breakLease(0);
      return (await drive.backup({ root, container, mode: "incremental" })).run;
    })();
    await heldUp;
  };
  const pruned = await mortal.prune({ container, keepLast: 1 });
  vi.restoreAllMocks();
  expect(pruned.tally.stopped).toContain(pruned.run);
  // All but what was under way at a time.
  expect((await blobsOf(container)).length).toBeGreaterThan(40);
  await expectWhole(await heldUp!, wanted);
});

/** Puts one clock of the process forward, or back, until mocks are restored. */
function moveClock(clock: { now: () => number }, milliseconds: number): void {
  const now = clock.now.bind(clock);
  vi.spyOn(clock, "now").mockImplementation(() => now() + milliseconds);
}

test("a run that a restore reads stays, also when the restore begins while the prune decides", async () => {
  const { container, first } = await twoRuns();
  const id = newRun();
  const to = temporary();
  const parsed = parseRestoreRequest({ run: first, to });
  if (!parsed.ok) throw new Error(parsed.problem);
  const life = new Life();
  const mortal = mortalDrive(azurite.connectionString, life);
  const restore = newRun();
  let begun = false;
  let plan: Awaited<ReturnType<typeof planRestore>> | undefined;
  life.before = async ({ method, url }) => {
    // The prune has looked for readers once and is about to mark.
    if (begun || method !== "PUT" || !url.includes(`/${first}/run.json`)) return;
    begun = true;
    plan = await planRestore(
      { run: restore, part: "0", request: parsed.value },
      drive.service,
      drive.settings,
    );
  };
  const pruned = await mortal.prune({ container, keepLast: 1 }, id);
  expect(plan?.problem).toBeUndefined();
  expect(pruned.kept).toContain(first);
  expect(await readRun(new Ledger(drive.service, first))).not.toHaveProperty("forgotten");
  const done = await drive.restore({ run: first, to }, restore);
  expect(done.tally).toMatchObject({ failures: [], counts: { failed: 0, copied: 3 } });
  expect((await drive.prune({ container, keepLast: 1 })).forgotten).toEqual([first]);
});

test.each(LAYOUTS)(
  "a restore and a prune that begin at any moment of each other: it restores all, or says that the run is forgotten: %s",
  async (layout) => {
    const { container, root, first, second, ...before } = await twoRuns(layout);
    let { wanted } = before;
    let [all, none] = [0, 0];
    let run = first;
    let current = second;
    const never = newRun();
    const { stopped: unknown } = (await drive.restore({ run: never, to: temporary() })).tally;
    expect(unknown).toContain(never);
    for (let moment = 3; moment < 63; moment += full ? 3 : 10) {
      const life = new Life();
      const mortal = mortalDrive(azurite.connectionString, life);
      let restoring: Promise<Awaited<ReturnType<Drive["restore"]>>> | undefined;
      let requests = 0;
      const to = temporary();
      const source = run;
      life.before = () => {
        if (++requests === moment) restoring = drive.restore({ run: source, to });
      };
      const pruned = await mortal.prune({ container, keepLast: 1 });
      const { tally } = await restoring!;
      const whole = tally.stopped === undefined && tally.counts.failed === 0 && tally.counts.copied > 0;
      // It names the prune that has marked the run, or says the same as of a run that never was.
      const said = tally.stopped?.includes(pruned.run) || tally.stopped === unknown?.replace(never, source);
      expect({ tally, fine: whole || said }).toMatchObject({ fine: true });
      all += Number(whole);
      none += Number(said);
      if (!pruned.forgotten.includes(run)) await drive.prune({ container, keepLast: 1 });
      run = current;
      // All of it anew, for packs go only when nothing in them is needed.
      if (layout === "packs") await write(root, { same: `${moment}`, changes: `${moment}` });
      wanted = await snapshotOf(root);
      current = (await drive.backup({ root, container, layout })).run;
    }
    expect(all).toBeGreaterThan(0);
    expect(none).toBeGreaterThan(0);
    await expectWhole(current, wanted);
  },
  180_000,
);

test.each([
  ["has not taken the lock", 2, "files"],
  ["has not taken the lock", 2, "packs"],
  ["has it, and has not looked for runs", 9, "files"],
  ["has it, and has not looked for runs", 9, "packs"],
] as const)(
  "a delivery of the decision that %s when the prune ends and a new run stands changes nothing (at request %i, %s)",
  async (_moment, held, layout) => {
    const { container, root, old, second, wanted } = await twoRuns(layout);
    const id = newRun();
    const life = new Life();
    const request = pruneRequest.parse({ container, keepLast: 1 });
    let requests = 0;
    let third = "";
    life.before = async () => {
      if (++requests !== held) return;
      await drive.prune(request, id);
      third = (await drive.backup({ root, container, layout })).run;
    };
    const late = dyingService(azurite.connectionString, life);
    const { decision } = await decidePrune({ run: id, request }, late);
    expect(third).not.toBe("");
    // What it gives reaches nobody, for the prune has ended.
    expect([[], old]).toContainEqual(decision.forgotten.map((run) => run.id));
    expect(await readRun(new Ledger(drive.service, second))).not.toHaveProperty("forgotten");
    await expectWhole(second, wanted);
    // Nor does it leave the lock behind.
    expect((await drive.prune({ container, keepLast: 1 })).forgotten).toEqual([second]);
    await expectWhole(third, wanted);
  },
);

test.each(LAYOUTS)(
  "killed at any request, kept runs are whole and the next prune finishes; so does the same one begun again: %s",
  async (layout) => {
    const sample = await twoRuns(layout);
    const life = new Life(10_000);
    await mortalDrive(azurite.connectionString, life).prune({
      container: sample.container,
      keepLast: 1,
    });
    const requests = 10_000 - life.left;
    expect(requests).toBeGreaterThan(20);
    let forgotten = 0;
    for (let index = 0; index < KILLS; index++) {
      const { container, first, second, wanted } = await twoRuns(layout);
      const request = { container, keepLast: 1 };
      const id = newRun();
      const dying = new Life(Math.floor((requests * (index + 0.5)) / KILLS));
      await expect(mortalDrive(azurite.connectionString, dying).prune(request, id)).rejects.toThrow("killed");
      await expectWhole(second, wanted);
      expect((await drive.verify({ run: second, readData: true })).tally.counts.failed).toBe(0);
      if (index % 2 === 0) {
        // A redelivery: the same prune, at the same time on two machines.
        await Promise.all([drive.prune(request, id), drive.prune(request, id)]);
      } else {
        // The engine is gone for good; the lease is over a minute later.
        await closeRun(new Ledger(drive.service, id), { status: "canceled" });
        const lease = new PruneLock(drive.service, { id, container, prefix: "" });
        await lease.release();
        forgotten += (await drive.prune(request)).forgotten.length;
      }
      await expectWhole(second, wanted);
      const left = await blobsOf(container);
      const isOfFirst = (name: string) => name.includes(`/${first}/`);
      const needed = layout === "files" ? ["changes", "same"] : left.filter((name) => !isOfFirst(name));
      expect(left).toEqual(needed);
    }
    expect(forgotten).toBeGreaterThan(0);
  },
  180_000,
);
