/** Forgetting backups over HTTP: told by a dry run, done by a prune, and what is left restores. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytes, inMicroseconds, makeTree, readTree } from "../harness/tree.ts";
import { backUp, end, expectProblem, inFiles, newContainer, newRoot, post } from "./client.ts";

describe("pruneBackups", () => {
  it("deletes what only forgotten runs need, as much as the dry run said; a kept run restores", async () => {
    const root = await newRoot();
    await makeTree(root, { same: bytes(3000), changes: "first", gone: "gone" });
    const container = newContainer();
    const place = { root, container: container.containerName };
    const first = await backUp(place);
    await writeFile(path.join(root, "changes"), "then");
    await rm(path.join(root, "gone"));
    const tree = await readTree(root);
    const second = await backUp({ ...place, mode: "incremental" });
    await writeFile(path.join(root, "changes"), "at last");
    await backUp({ ...place, mode: "incremental" });

    const request = { container: container.containerName, keepLast: 2 };
    const told = await end("pruneBackups", { ...request, dryRun: true });
    expect(told).toMatchObject({
      runtimeStatus: "Completed",
      customStatus: { runs: { kept: 2, forgotten: 1 } },
    });
    const held = async () => {
      const blobs: string[] = [];
      for await (const { name, snapshot } of container.listBlobsFlat({ includeSnapshots: true }))
        blobs.push(snapshot ? `${name}@` : name);
      return blobs.sort();
    };
    // The pack of the first run has what all runs need.
    const all = inFiles ? ["changes", "changes@", "changes@", "gone", "same"] : await held();
    expect(await held()).toEqual(all);
    const done = await end("pruneBackups", request);
    expect(done).toMatchObject({ runtimeStatus: "Completed", output: told.output });
    expect(await held()).toEqual(inFiles ? ["changes", "changes@", "same"] : all);

    const to = await newRoot();
    const restored = await end("restoreSiteContent", { run: second.instanceId, to });
    expect(restored).toMatchObject({ runtimeStatus: "Completed" });
    expect(inMicroseconds(await readTree(to))).toEqual(inMicroseconds(tree));
    const refused = await post(JSON.stringify({ run: first.instanceId, to }), {
      orchestrator: "restoreSiteContent",
    });
    await expectProblem(refused, 404, new RegExp(` ${first.instanceId} .*prune`));
  });

  it("is refused without a policy", async () => {
    const refused = await post(JSON.stringify({ dryRun: true }), { orchestrator: "pruneBackups" });
    await expectProblem(refused, 400, /keepLast/);
  });
});
