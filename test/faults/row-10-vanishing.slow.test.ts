/** Row 10: files and directories vanish, files become directories and back, while a backup lists and copies them. */
import { mkdir, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { counted, full, PATIENCE } from "../harness/faults.ts";
import { isWrite } from "../harness/storage-proxy.ts";
import { makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { startRig, type Rig } from "./rig.ts";

const RUNS = full ? 12 : 2;

let rig: Rig;

beforeAll(async () => {
  // One request at a time, so that nothing is copied before the first.
  rig = await startRig("vanishing", {
    env: { BACKUP_REQUESTS_IN_FLIGHT: "1", FUNCTIONS_WORKER_PROCESS_COUNT: "1" },
  });
});
afterAll(async () => {
  await rig?.stop();
});

describe("row 10: what vanishes or changes its kind", () => {
  it(
    "between listing and copying: each has its own outcome, the run goes on",
    async () => {
      const root = await makeTree(`${rig.folder}/tree`, {
        stays: "stays",
        "goes.txt": "goes",
        "whole/a": "a",
        "whole/deep/b": "b",
        "file-then-directory": "x",
        "file-directory-file": "x",
      });
      let done = false;
      // At the first request of the copying: the listing is over.
      rig.proxy.before = async (request) => {
        if (done || request.container !== "vanishing" || !isWrite(request)) return;
        done = true;
        await unlink(`${root}/goes.txt`);
        await rm(`${root}/whole`, { recursive: true });
        for (const name of ["file-then-directory", "file-directory-file"]) {
          await unlink(`${root}/${name}`);
          await mkdir(`${root}/${name}`);
        }
        await rmdir(`${root}/file-directory-file`);
        await writeFile(`${root}/file-directory-file`, "a file again");
      };
      const id = await rig.post("backupSiteContent", { root, container: "vanishing" });
      const status = await rig.follow(id, PATIENCE);
      expect(status.runtimeStatus).toBe("Completed");
      const outcomes = outcomesByPath(await readLedger(rig.service, id));
      const kinds: Record<string, RegExp> = {
        stays: /^copied$/,
        // Those that were open when they went have been read.
        "goes.txt": /^(vanished|copied)$/,
        "file-then-directory": /^(skipped|copied)$/,
        "file-directory-file": /^copied$/,
      };
      for (const [name, outcome] of Object.entries(kinds)) {
        expect(outcomes.get(name)?.outcome, name).toMatch(outcome);
      }
      // A directory that is gone has one outcome, which stands for all in it that was not read yet.
      const isWhole = ["whole/a", "whole/deep/b"].every((name) => outcomes.get(name)?.outcome === "copied");
      expect(outcomes.get("whole")?.outcome).toBe(isWhole ? undefined : "vanished");
      const changed = [...outcomes.values()].filter(({ outcome }) => outcome !== "copied");
      expect(changed.length).toBeGreaterThan(0);
      counted(10, { changed: 5, "not copied": changed.length });
    },
    PATIENCE,
  );

  it(
    "all the time: what stays is copied, what does not has one outcome, and every run ends",
    async () => {
      const root = await makeTree(`${rig.folder}/busy`, manyFiles(150, 15));
      const stays = await readTree(root);
      let [over, changes, vanished, skipped, failed] = [false, 0, 0, 0, 0];
      const churn = (async () => {
        for (let round = 0; !over; round++) {
          const at = (name: string) => path.join(root, `d00${round % 10}`, name);
          await writeFile(at("comes-and-goes"), `round ${round}`);
          await mkdir(at("directory"), { recursive: true });
          await writeFile(at("directory/in-it"), "in it").catch(() => undefined);
          await rename(at("directory"), at("moved")).catch(() => undefined);
          await mkdir(at("turns"), { recursive: true }).catch(() => undefined);
          await turn();
          await rm(at("moved"), { recursive: true, force: true });
          await rmdir(at("turns")).catch(() => undefined);
          await writeFile(at("turns"), "a file now");
          await turn();
          await rm(at("turns"), { recursive: true, force: true });
          await rm(at("comes-and-goes"), { force: true });
          changes += 10;
        }
      })();
      try {
        for (let run = 0; run < RUNS; run++) {
          const container = `busy-${run}`;
          const id = await rig.post("backupSiteContent", { root, container });
          const status = await rig.follow(id, PATIENCE);
          const outcomes = outcomesByPath(await readLedger(rig.service, id));
          const blobs = await readBlobs(rig.service.getContainerClient(container));
          for (const [name, { content }] of stays) {
            expect(outcomes.get(name)?.outcome, name).toBe("copied");
            expect(blobs.get(name)?.content.equals(content), name).toBe(true);
          }
          for (const { path: name, outcome, reason = "" } of outcomes.values()) {
            if (outcome === "vanished") vanished++;
            if (outcome === "skipped") skipped++;
            if (outcome !== "failed") continue;
            failed++;
            expect(reason, name).toMatch(
              /^changed while reading|was replaced meanwhile|something else has been put/,
            );
          }
          expect(["Completed", "Failed"]).toContain(status.runtimeStatus);
          for (const name of blobs.keys()) expect(outcomes.has(name), name).toBe(true);
        }
      } finally {
        over = true;
        await churn;
      }
      counted(10, { runs: RUNS, changes, vanished, skipped, "changed while reading": failed });
    },
    PATIENCE,
  );
});
