/** Random histories of a tree, of its backups and prunes, and what each run then restores. */
import { cp, mkdir } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { newRun } from "../harness/domain.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { PruneLock } from "../../src/ledger/prune-lock.ts";
import { readRun } from "../../src/ledger/run-record.ts";
import { applyPolicy, type Policy } from "../../src/prune/policy.ts";
import { EditedTree, edits } from "../harness/random-edits.ts";
import { Life, mortalDrive } from "../prune/dying-service.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";
import { backdate, backUpDespite, howEnded, SETTINGS } from "./model-ends.ts";
import { directoriesOf, IN_MEMORY, snapshotOf } from "./tree.ts";

/** Histories that are tried at the same time, each with an account of its own. */
const AT_A_TIME = Number(process.env["MODEL_AT_A_TIME"] ?? 2);

/** Requests until something is killed; most make no more. It continues then under its id, as the engine has it. */
const kill = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) },
);
const few = fc.integer({ min: 1, max: 3 });
const policy = fc.oneof(
  fc.record({ keepLast: few }),
  fc.record({ keepLast: fc.integer({ min: 0, max: 1 }), keepDaily: few }),
  fc.record({ keepHourly: few, keepWeekly: few }, { requiredKeys: ["keepWeekly"] }),
  fc.record({ keepMonthly: few, keepYearly: few }, { requiredKeys: ["keepYearly"] }),
  fc.record({ keepWithin: fc.constantFrom("1h", "2d", "1m10d", "1y1m") }),
);
const HOUR = 3_600_000;
const history = fc.array(
  fc.record({
    edits,
    how: fc.constantFrom("full" as const, "incremental" as const, "checksum" as const, "record" as const),
    backupEnds: howEnded,
    /** Before the next try, where the first one is canceled. */
    editsBetween: edits,
    restoreKilled: kill,
    verifyKilled: kill,
    /** Milliseconds since the run before. */
    after: fc.constantFrom(HOUR / 60, HOUR, 24 * HOUR, 8 * 24 * HOUR, 40 * 24 * HOUR, 400 * 24 * HOUR),
    prune: fc.option(
      fc.record({
        policy,
        /** Requests until it is killed; most prunes make fewer than a hundred. */
        killedAfter: fc.option(fc.integer({ min: 1, max: 90 }), { freq: 1 }),
      }),
      { freq: 1 },
    ),
  }),
  { minLength: 1, maxLength: 3 },
);
/** What does not change within a history. */
const always = fc.record({
  layout: fc.constantFrom("files" as const, "packs" as const),
  inPlace: fc.boolean(),
  keepVersions: fc.oneof(
    { weight: 4, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
});

/**
 * Defines the test that tries so many histories. `MODEL_CASES=2000 npm test -- test/restore/model.test.ts` tries more, and
 * MODEL_SEED those of a run that failed again.
 */
export function testHistories(some: number): void {
  const cases = Number(process.env["MODEL_CASES"] ?? some);
  test(
    `every run of ${cases} random histories that no prune forgot restores to the tree of its time`,
    async () => {
      const accounts = Array.from({ length: AT_A_TIME }, takeAccount);
      onTestFinished(async () => {
        await Promise.all(accounts.map((account) => account.stop()));
      });
      const share = Math.ceil(cases / AT_A_TIME);
      const tried = Promise.all(accounts.map((account) => tryHistories(account, share)));
      await expect(tried).resolves.toHaveLength(AT_A_TIME);
    },
    60_000 + cases * 5_000,
  );
}

interface Made {
  run: string;
  started: Date;
  tree: Map<string, string>;
  directories: Map<string, string>;
}

/** Does something that is killed after so many requests, and then continues, or is done before. */
async function despite<T>(
  { service, connectionString }: TestStorage,
  killedAfter: number | undefined,
  work: (drive: Drive) => Promise<T>,
): Promise<T> {
  if (killedAfter !== undefined) {
    const life = new Life(killedAfter);
    const done = await work(mortalDrive(connectionString, life, SETTINGS)).catch(() => undefined);
    if (done !== undefined && life.left > 0) return done;
    expect(life.left).toBeLessThanOrEqual(0);
  }
  return await work(new Drive(service, SETTINGS));
}

/** Prunes, perhaps only as far as it gets. @returns the runs that are still there */
async function prune(
  { service, connectionString }: TestStorage,
  runs: readonly Made[],
  { policy, killedAfter }: { policy: Policy; killedAfter: number | null },
): Promise<Made[]> {
  const id = newRun();
  const life = new Life(killedAfter ?? Infinity);
  const pruned = await mortalDrive(connectionString, life)
    .prune({ ...policy }, id)
    .catch(() => undefined);
  const left: Made[] = [];
  for (const made of runs) {
    const record = await readRun(new Ledger(service, made.run));
    if (record !== undefined && record.forgotten === undefined) left.push(made);
  }
  const wanted = applyPolicy(runs, policy, new Date())
    .filter(({ run, reasons }) => reasons.length > 0 || run === runs.at(-1))
    .map(({ run }) => run);
  const byTime = wanted.toReversed();
  if (pruned) {
    expect(pruned.tally).toMatchObject({ failures: [], counts: { failed: 0 } });
    expect(pruned.tally.stopped).toBeUndefined();
    expect(left).toEqual(byTime);
  } else {
    expect(life.left).toBeLessThanOrEqual(0);
    expect(left).toEqual(expect.arrayContaining(byTime));
    // As a minute later.
    await new PruneLock(service, { id, container: "backups", prefix: "" }).release();
  }
  return left;
}

async function tryHistories(account: TestStorage, cases: number): Promise<void> {
  const { service } = account;
  await fc.assert(
    fc.asyncProperty(history, always, async (steps, { layout, inPlace, keepVersions }) => {
      const base = mkdtempSync(path.join(IN_MEMORY, "model-"));
      try {
        const root = path.join(base, "root");
        await mkdir(root);
        const tree = new EditedTree(root);
        let clock = Date.now() - steps.reduce((sum, { after }) => sum + after, HOUR);
        const isPruned = steps.some(({ prune }) => prune !== null);
        let runs: Made[] = [];
        for (const { edits, how, backupEnds, editsBetween, after, prune: pruning } of steps) {
          const change = async (some: typeof edits): Promise<void> => {
            for (const each of some) await tree.apply(each);
          };
          const request = () => {
            // Size and time cannot tell a change that keeps both; an incremental run goes by them.
            const isFull = how === "full" || (how !== "checksum" && tree.sneaked);
            const mode = isFull ? ("full" as const) : ("incremental" as const);
            const compareWith = how === "record" && !isFull ? { compareWith: "record" as const } : {};
            return {
              root,
              mode,
              checksum: how === "checksum",
              ...compareWith,
              ...(layout === "packs" ? { layout } : { keepVersions }),
              acceptFewer: true,
            };
          };
          const started = new Date((clock += after));
          await change(edits);
          const { run, tally, late } = await backUpDespite(account, backupEnds, request, started, () =>
            change(editsBetween),
          );
          if (isPruned) await backdate(service, run, started);
          tree.sneaked = false;
          expect(tally).toMatchObject({ failures: [], counts: { failed: 0, vanished: 0, skipped: 0 } });
          runs.push({ run, started, tree: await snapshotOf(root), directories: await directoriesOf(root) });
          if (pruning) runs = await prune(account, runs, pruning);
          await late();
        }
        // Into the tree as it is now, or where the run before was restored, or into nothing.
        const to = path.join(base, "to");
        if (inPlace)
          await cp(root, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        // Where nothing is kept of what is overwritten, the newest is all that there is.
        const isKept = layout === "packs" || keepVersions;
        const whole = isKept ? runs.toReversed() : runs.slice(-1);
        for (const [index, { run, tree: wanted, directories }] of whole.entries()) {
          const overwrite = tree.everSneaked || index % 2 === 0 ? "always" : "changed";
          const [restore, verification] = [randomUUID(), randomUUID()];
          const { tally } = await despite(account, steps[index]?.restoreKilled, (it) =>
            it.restore({ run, to, delete: true, overwrite }, restore),
          );
          expect(tally).toMatchObject({ failures: [], counts: { failed: 0, skipped: 0 } });
          expect(await snapshotOf(to)).toEqual(wanted);
          expect(await directoriesOf(to)).toEqual(directories);
          const verified = await despite(account, steps[index]?.verifyKilled, (it) =>
            it.verify({ run, readData: index === 0 }, verification),
          );
          expect(verified.tally).toMatchObject({ failures: [], counts: { failed: 0 } });
        }
      } finally {
        rmSync(base, { recursive: true, force: true });
        // The emulator looks through a whole container for each list.
        for (const container of ["backups", "backup-runs"]) {
          await service.getContainerClient(container).deleteIfExists();
        }
      }
    }),
    { numRuns: cases, ...(process.env["MODEL_SEED"] ? { seed: Number(process.env["MODEL_SEED"]) } : {}) },
  );
}
