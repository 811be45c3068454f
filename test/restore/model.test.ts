import { cp, mkdir } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Ledger } from "../../src/ledger/ledger.ts";
import { PruneLock } from "../../src/ledger/prune-lock.ts";
import { readRun } from "../../src/ledger/run-record.ts";
import { EditedTree, edits } from "../harness/random-edits.ts";
import { dyingService, Life } from "../retention/dying-service.ts";
import { startAccounts, type Account } from "./azurite.ts";
import { Drive } from "./drive.ts";
import { directoriesOf, snapshotOf } from "./tree.ts";

/**
 * Random histories that are tried: `MODEL_CASES=2000 npm test -- test/restore/model.test.ts` tries more, and MODEL_SEED
 * those of a run that failed again.
 */
const CASES = Number(process.env["MODEL_CASES"] ?? 200);

/** Histories that are tried at the same time, each with an account of its own. */
const AT_A_TIME = 2;

/** Files of more bytes are copied, restored and read back by ranges. */
const SETTINGS = { largeFile: 5 };

let azurite: Awaited<ReturnType<typeof startAccounts>>;

beforeAll(async () => {
  azurite = await startAccounts(AT_A_TIME);
});
afterAll(async () => {
  await azurite?.stop();
});

/** Requests until a run is killed; most make no more. It goes on then under its id, as the engine has it. */
const kill = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 50 }) },
);
const history = fc.array(
  fc.record({
    edits,
    how: fc.constantFrom("full" as const, "incremental" as const, "checksum" as const),
    backupKilled: kill,
    restoreKilled: kill,
    prune: fc.option(
      fc.record({
        keepLast: fc.integer({ min: 1, max: 2 }),
        /** Requests until it is killed; most prunes make fewer than a hundred. */
        killedAfter: fc.option(fc.integer({ min: 1, max: 90 }), { freq: 1 }),
      }),
      { freq: 1 },
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

test(
  `every run of ${CASES} random histories that no prune forgot restores to the tree of its time`,
  async () => {
    const share = Math.ceil(CASES / AT_A_TIME);
    const tried = Promise.all(azurite.accounts.map((account) => tryHistories(account, share)));
    await expect(tried).resolves.toHaveLength(AT_A_TIME);
  },
  60_000 + CASES * 2_000,
);

interface Made {
  run: string;
  tree: Map<string, string>;
  directories: Map<string, string>;
}

/** Does something that is killed after so many requests, and then goes on, or is done before. */
async function despite<T>(
  { service, connectionString }: Account,
  killedAfter: number | undefined,
  work: (drive: Drive) => Promise<T>,
): Promise<T> {
  if (killedAfter !== undefined) {
    const life = new Life(killedAfter);
    const done = await work(new Drive(dyingService(connectionString, life), SETTINGS)).catch(() => undefined);
    if (done !== undefined && life.left > 0) return done;
    expect(life.left).toBeLessThanOrEqual(0);
  }
  return await work(new Drive(service, SETTINGS));
}

/** Prunes, perhaps only as far as it gets. @returns the runs that are still there */
async function prune(
  { service, connectionString }: Account,
  runs: readonly Made[],
  { keepLast, killedAfter }: { keepLast: number; killedAfter: number | null },
): Promise<Made[]> {
  const id = randomUUID().replaceAll("-", "");
  const life = new Life(killedAfter ?? Infinity);
  const drive = new Drive(dyingService(connectionString, life));
  const pruned = await drive.prune({ keepLast }, id).catch(() => undefined);
  const left: Made[] = [];
  for (const made of runs) {
    const record = await readRun(new Ledger(service, made.run));
    if (record !== undefined && record.forgotten === undefined) left.push(made);
  }
  expect(left.slice(-keepLast)).toEqual(runs.slice(-keepLast));
  if (pruned) expect(left).toHaveLength(Math.min(keepLast, runs.length));
  else {
    expect(life.left).toBeLessThanOrEqual(0);
    // As a minute later.
    await new PruneLock(service, { id, container: "backups", prefix: "" }).release();
  }
  return left;
}

async function tryHistories(account: Account, cases: number): Promise<void> {
  const { service } = account;
  const drive = new Drive(service, SETTINGS);
  await fc.assert(
    fc.asyncProperty(history, fc.boolean(), async (steps, inPlace) => {
      const base = mkdtempSync(path.join(tmpdir(), "model-"));
      try {
        const root = path.join(base, "root");
        await mkdir(root);
        const tree = new EditedTree(root);
        let runs: Made[] = [];
        for (const { edits, how, backupKilled, prune: pruning } of steps) {
          for (const change of edits) await tree.apply(change);
          // Size and time cannot tell a change that keeps both; an incremental run goes by them.
          const mode = how === "full" || (how === "incremental" && tree.sneaked) ? "full" : "incremental";
          const id = randomUUID().replaceAll("-", "");
          const { run, tally } = await despite(account, backupKilled, (it) =>
            it.backup({ root, mode, checksum: how === "checksum" }, id),
          );
          tree.sneaked = false;
          expect(tally).toMatchObject({ failures: [], counts: { failed: 0, vanished: 0, skipped: 0 } });
          runs.push({ run, tree: await snapshotOf(root), directories: await directoriesOf(root) });
          if (pruning) runs = await prune(account, runs, pruning);
        }
        // Into the tree as it is now, or where the run before was restored, or into nothing.
        const to = path.join(base, "to");
        if (inPlace)
          await cp(root, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        for (const [index, { run, tree: wanted, directories }] of runs.toReversed().entries()) {
          const overwrite = tree.everSneaked || index % 2 === 0 ? "always" : "changed";
          const id = randomUUID().replaceAll("-", "");
          const { tally } = await despite(account, steps[index]?.restoreKilled, (it) =>
            it.restoreAs(id, { run, to, delete: true, overwrite }),
          );
          expect(tally).toMatchObject({ failures: [], counts: { failed: 0, skipped: 0 } });
          expect(await snapshotOf(to)).toEqual(wanted);
          expect(await directoriesOf(to)).toEqual(directories);
          const verified = await drive.verify({ run, readData: index === 0 });
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
