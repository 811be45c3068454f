/**
 * Ledgers and manifests that are read back damaged: an answer or an outcome that says so, never 500, nothing written
 * outside the target, and other runs as they were.
 */
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it, onTestFailed } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postBackup } from "../harness/run.ts";
import { makeFolder, makeTree, readTree } from "../harness/tree.ts";
import { damage, damaged } from "./damage.ts";
import { get, lookAt, outcome, statusOfStart } from "./clear-outcome.ts";
import { ForgedRuns } from "./forged-runs.ts";
import { fuzz } from "./fuzz.ts";

/** Copies that are damaged; more by FUZZ_RUNS. What cannot be read is tried three times, 9 s in all: many at a time. */
const RUNS = 10;
const AT_A_TIME = 25;
const tree = { "a.txt": "aaaa", "b/c.txt": "cc", "b/d/e.txt": "", f: "ffffffff" };

let host: LocalHostProcess;
let folder: string;
let root: string;
let service: BlobServiceClient;
let whole: string;
let forged: ForgedRuns;

beforeAll(async () => {
  folder = await makeFolder("fuzz-ledger");
  root = await makeTree(path.join(folder, "root"), tree);
  host = await startLocalHost({ entry: "build", env: { BACKUP_ROOTS: root, RESTORE_ROOTS: folder } });
  service = BlobServiceClient.fromConnectionString(host.connectionString);
  whole = await backUp("whole");
  forged = await ForgedRuns.of(service, await backUp("damaged"));
});
afterAll(async () => {
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function backUp(container: string): Promise<string> {
  const { id, location } = await postBackup(host.url, { root, container });
  expect(await followRun(location)).toMatchObject({ runtimeStatus: "Completed" });
  return id;
}

it("a run whose record is damaged, in any way and place", async () => {
  const { numRuns, seed = Math.floor(Math.random() * 1e9) } = fuzz(RUNS);
  onTestFailed(() => console.log(`FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns}`));
  const record = fc.nat(forged.records - 1);
  const all = fc.sample(fc.record({ record, damage }), { numRuns, seed });
  for (let at = 0; at < all.length; at += AT_A_TIME) {
    const some = all.slice(at, at + AT_A_TIME);
    const written = await Promise.all(
      some.map(async (one) => {
        const { id, damaged: name } = await forged.write(one.record, (content) =>
          damaged(content, one.damage),
        );
        return { id, what: `${name} ${JSON.stringify(one.damage)}`.slice(0, 500) };
      }),
    );
    const told = async (what: string, work: Promise<unknown>) => {
      await work.catch((error: Error) => {
        throw new Error(`${what}: ${error.message}`, { cause: error });
      });
    };
    const listed = JSON.parse((await get(host.url, "/backups?limit=1000&kind=all", [200])).text) as {
      runs: { id: string }[];
    };
    expect(listed.runs.map(({ id }) => id)).toContain(whole);
    await Promise.all([
      ...written.map(({ id, what }) => told(what, lookAt(host.url, id))),
      ...written.map(({ id, what }) =>
        told(
          what,
          outcome(host.url, "restoreSiteContent", { run: id, to: path.join(folder, "to", id, "in") }),
        ),
      ),
      ...written.map(({ id, what }) =>
        told(what, outcome(host.url, "verifyBackup", { run: id, readData: true })),
      ),
      outcome(host.url, "pruneBackups", { container: "damaged", keepLast: 1, dryRun: true }),
    ]);
    await Promise.all(written.map(({ id }) => forged.remove(id)));
  }
  // Nothing but what was restored, and where it was to be.
  const ids = readdirSync(path.join(folder, "to"));
  expect(ids.flatMap((id) => readdirSync(path.join(folder, "to", id)))).toEqual(ids.map(() => "in"));
  expect(readdirSync(folder).sort()).toEqual(["root", "to"]);
  expect([...(await readTree(root)).keys()].sort()).toEqual(Object.keys(tree).sort());
  await expectWhole();
}, 600_000);

/** The run beside is listed, read, verified, restored and pruned as if nothing had happened. */
async function expectWhole(): Promise<void> {
  expect(JSON.parse((await get(host.url, `/backups/${whole}`, [200])).text)).toMatchObject({
    status: "completed",
  });
  expect(await outcome(host.url, "verifyBackup", { run: whole })).toMatchObject({
    output: Object.keys(tree).length,
  });
  const to = path.join(folder, "whole");
  expect(await outcome(host.url, "restoreSiteContent", { run: whole, to })).toMatchObject({
    runtimeStatus: "Completed",
  });
  expect([...(await readTree(to)).values()].map(({ content }) => content.toString()).sort()).toEqual(
    Object.values(tree).sort(),
  );
  const prune = { container: "whole", keepLast: 1, dryRun: true };
  expect(await outcome(host.url, "pruneBackups", prune)).toMatchObject({ runtimeStatus: "Completed" });
}

it("a destination's claim and lock that are damaged: a start says which blob it is, or continues", async () => {
  const seen = new Set<number>();
  const shared = fc.record({ which: fc.constantFrom("claim" as const, "lock" as const), damage });
  const property = fc.asyncProperty(shared, async ({ which, damage: one }) => {
    const container = await forged.writeShared(which, (content) => damaged(content, one));
    seen.add(await statusOfStart(host.url, { root, container }));
  });
  await fc.assert(property, fuzz(60));
  expect(seen).toContain(502);
});
