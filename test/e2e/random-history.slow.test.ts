/** Histories of a tree at random, over HTTP: what test/restore/model.ts tries by the hundred, on a whole host. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { EditedTree, edits } from "../harness/random-edits.ts";
import { directoriesOf, snapshotOf } from "../restore/tree.ts";
import { backUp, end, expectProblem, newContainer, newRoot, post } from "./client.ts";

const CASES = 3;

const history = fc.array(
  fc.record({
    edits,
    how: fc.constantFrom("full" as const, "incremental" as const, "checksum" as const, "record" as const),
  }),
  { minLength: 2, maxLength: 4 },
);

it(`every kept run of ${CASES} random histories restores to the tree of its time, and verifies, also after a prune`, async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.integer({ min: 1, max: 3 }), async (steps, keepLast) => {
      const root = path.join(await newRoot(), "tree");
      await mkdir(root);
      const { containerName: container } = newContainer();
      const tree = new EditedTree(root);
      const runs = [];
      for (const { edits: changes, how } of steps) {
        for (const change of changes) await tree.apply(change);
        // Size and time cannot tell a change that keeps both; an incremental run goes by them.
        const mode = how === "full" || (how !== "checksum" && tree.sneaked) ? "full" : "incremental";
        const compareWith = how === "record" && mode === "incremental" ? { compareWith: "record" } : {};
        const done = await backUp({ root, container, mode, checksum: how === "checksum", ...compareWith });
        expect(done).toMatchObject({ runtimeStatus: "Completed" });
        tree.sneaked = false;
        runs.push({
          run: done.instanceId,
          files: await snapshotOf(root),
          directories: await directoriesOf(root),
        });
      }
      const pruned = await end("pruneBackups", { container, keepLast });
      expect(pruned, String(pruned.output)).toMatchObject({
        runtimeStatus: "Completed",
        customStatus: { runs: { kept: Math.min(keepLast, runs.length) } },
      });
      const to = path.join(await newRoot(), "back");
      for (const { run } of runs.slice(0, -keepLast)) {
        const body = JSON.stringify({ run, to });
        await expectProblem(
          await post(body, { orchestrator: "restoreSiteContent" }),
          404,
          new RegExp(`no run ${run}`),
        );
      }
      for (const { run, files, directories } of runs.slice(-keepLast).toReversed()) {
        const restored = await end("restoreSiteContent", { run, to, delete: true, overwrite: "always" });
        expect(restored).toMatchObject({ runtimeStatus: "Completed" });
        expect(await snapshotOf(to)).toEqual(files);
        expect(await directoriesOf(to)).toEqual(directories);
        expect(await end("verifyBackup", { run, readData: true })).toMatchObject({
          runtimeStatus: "Completed",
        });
      }
    }),
    { numRuns: CASES },
  );
}, 180_000);
