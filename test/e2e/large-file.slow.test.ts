/** A file of many blocks. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { expectSameTree, readBlobs } from "../harness/blobs.ts";
import { bytes, readTree } from "../harness/tree.ts";
import { backUp, newContainer, newRoot } from "./client.ts";

it("a file of 300 MB, by blocks", async () => {
  const root = await newRoot();
  const content = bytes(300_000_000);
  await writeFile(path.join(root, "dump.sql"), content);
  const container = newContainer();
  const status = await backUp({ root, container: container.containerName });
  expect(status).toMatchObject({ runtimeStatus: "Completed", output: 300_000_000 });
  const blob = container.getBlockBlobClient("dump.sql");
  const { committedBlocks } = await blob.getBlockList("committed");
  expect(committedBlocks?.length).toBeGreaterThan(10);
  expectSameTree(await readBlobs(container), await readTree(root), status.instanceId);
});
