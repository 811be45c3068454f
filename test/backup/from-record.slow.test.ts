/** When an incremental backup does not compare with the record of the last run, though it was asked to. */
import { rm } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Ledger } from "../../src/ledger/ledger.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { newRun } from "../harness/domain.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { edits, EditedTree } from "../harness/random-edits.ts";
import { Life, mortalDrive } from "../prune/dying-service.ts";
import { link, makeFolder } from "../harness/tree.ts";
import { amend, comparedWith, newTree, RECORD } from "./last-run.ts";

const { azurite, drive } = startDrive();
const { service } = azurite;
/** So few files a part, that a small tree has several. */
const SMALL = { listFiles: 6, largeFile: 4 };
let folder: string;

beforeAll(async () => void (folder = await makeFolder("from-record")));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What comes between the last run and this one, and why this one then lists the destination. */
type Between = (at: { root: string; container: string }, last: string) => Promise<unknown>;
const cases: [what: string, between: Between, because: RegExp][] = [
  ["a run with other filters", (at) => drive.backup({ ...at, exclude: ["b"] }), /other filters/],
  [
    "a run of another directory",
    async (at) =>
      drive.backup({ ...at, root: (await newTree(folder, { c: "c" })).root, allowOtherRoot: true }),
    /another directory, \//,
  ],
  ["its being canceled", (_at, last) => amend(service, last, { status: "canceled" }), /it was canceled$/],
  ["its failing", (_at, last) => amend(service, last, { status: "failed", brokenOff: true }), /it failed$/],
  ["its being broken off", (_at, last) => amend(service, last, { status: "running" }), /it has not ended$/],
  [
    "its being suspect",
    (_at, last) => amend(service, last, { status: "failed", suspect: true }),
    /it is suspect$/,
  ],
  ["its being forgotten", (_at, last) => amend(service, last, { forgotten: "x" }), /prune .*forgotten/],
  [
    "its being dated in the future",
    (_at, last) => amend(service, last, { started: new Date(Date.now() + 3_600_000).toISOString() }),
    /future/,
  ],
  [
    "its being of an earlier version",
    async (_at, last) =>
      await new Ledger(service, last).update("lists/0.json", (text) =>
        text.replace(',"compareWith":"destination"', ""),
      ),
    /earlier version/,
  ],
  [
    "the loss of its record",
    (_at, last) => service.getContainerClient("backup-runs").deleteBlob(`${last}/run.json`),
    /record .*damaged or gone/,
  ],
  [
    "a run to a destination that overlaps it",
    async ({ container }) =>
      drive.backup({ root: (await newTree(folder, { a: "c" })).root, container, prefix: "sub" }),
    /\b[0-9a-f]{32} .*test-.*\/sub\b.*overlap/,
  ],
];

describe("the destination is listed after", () => {
  it.each(cases)("%s, and the record says so", async (_what, between, because) => {
    const at = await newTree(folder, { a: "one", b: "two", "c/d": "three", link: link("a") });
    const { run } = await drive.backup(at);
    await between(at, run);
    const again = await drive.backup({ ...at, ...RECORD, acceptFewer: true });
    expect(await comparedWith(service, again.run)).toEqual({
      destination: true,
      because: expect.stringMatching(because),
    });
    expect(again.tally.counts).toMatchObject({ unchanged: 4, copied: 0 });
  });
});

/** What happens to a tree before a backup, and to the backup. */
const steps = fc.array(
  fc.record({
    edits,
    /** Somebody else writes the blobs of files that have changed, or deletes them. */
    foreign: fc.constantFrom("nothing" as const, "written" as const, "deleted" as const),
    killedAfter: fc.option(fc.integer({ min: 1, max: 60 })),
  }),
  { minLength: 2, maxLength: 4 },
);
const CASES = Number(process.env["MODEL_CASES"] ?? 8);

it(
  `the outcomes of ${CASES} random histories are those of runs that list the destination`,
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const { root, container } = await newTree(folder, {});
        const tree = new EditedTree(root);
        const both = service.getContainerClient(container);
        const backUp = async (how: object, prefix: string, killedAfter: number | null) => {
          const run = newRun();
          const request = { root, container, prefix, acceptFewer: true, allowOtherRoot: true, ...how };
          if (killedAfter !== null)
            await mortalDrive(azurite.connectionString, new Life(killedAfter), SMALL)
              .backup(request, run)
              .catch(() => undefined);
          const { tally } = await new Drive(service, SMALL).backup(request, run);
          expect(tally.failures).toEqual([]);
          return await drive.outcomes(run);
        };
        let last = new Map<string, Outcome>();
        for (const { edits: changes, foreign, killedAfter } of history) {
          for (const change of changes) {
            if (change.edit !== "sneak") await tree.apply(change);
            if (foreign === "nothing" || change.edit !== "write") continue;
            for (const prefix of ["listed", "recorded"]) {
              const blob = both.getBlockBlobClient(`${prefix}/${change.path}`);
              if (!(await blob.exists())) continue;
              if (foreign === "written") await blob.upload("foreign", 7);
              else await blob.delete({ deleteSnapshots: "include" });
            }
          }
          const listed = await backUp({ mode: "incremental" }, "listed", killedAfter);
          const recorded = await backUp(RECORD, "recorded", killedAfter);
          expect([...recorded.keys()].toSorted()).toEqual([...listed.keys()].toSorted());
          for (const [name, outcome] of recorded) {
            // What blobs do not say, or say of themselves.
            const { etag: _etag, target: _target, ...here } = outcome;
            const { etag: _other, target: _none, ...there } = listed.get(name)!;
            // What comes back is sent again, though its old blob may have the content.
            const isNew = !["copied", "unchanged"].includes(last.get(name)?.outcome ?? "");
            expect(here).toEqual(isNew ? { ...there, outcome: "copied" } : there);
          }
          last = recorded;
        }
      }),
      { numRuns: CASES, ...(process.env["MODEL_SEED"] ? { seed: Number(process.env["MODEL_SEED"]) } : {}) },
    );
  },
  60_000 + CASES * 15_000,
);
