/** A site that holds a copy of its own backup: files named as the destination's blobs are, with their contents. */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { readBlobs } from "../harness/blobs.ts";
import { bytes, makeTree, readTree } from "../harness/tree.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary } from "../restore/tree.ts";
import { startUnpacking, unpack } from "./unpacking.ts";

const { azurite } = startDrive();
// What is larger is cut into chunks.
const drive = new Drive(azurite.service, { largeFile: 100_000 });
const { folder, save } = startUnpacking();

test("the copies mix with neither the blobs of its own destination nor those of another beside it, also in prunes", async () => {
  const container = `own-names-${randomUUID()}`;
  const at = azurite.service.getContainerClient(container);
  const root = await makeTree(temporary(), { small: "small", "d/larger": bytes(300_000) });
  const packs = { root, container, prefix: "site", layout: "packs" };
  const files = { root, container, prefix: "site-files", layout: "files" };
  /** What both destinations restore, and what anyone unpacks of the one. */
  const expectHeld = async (runs: readonly string[]): Promise<void> => {
    const wanted = await snapshotOf(root);
    for (const run of runs) {
      const to = temporary();
      expect((await drive.restore({ run, to })).tally).toMatchObject({ failures: [], counts: { failed: 0 } });
      expect(await snapshotOf(to)).toEqual(wanted);
      expect((await drive.verify({ run, readData: true })).tally.failures).toEqual([]);
    }
  };
  const namesIn = async (prefix: string) => [...(await readBlobs(at, prefix)).keys()];
  const contentsIn = async (prefix: string) =>
    [...(await readBlobs(at, prefix))].map(([name, { content }]) => [name, content] as const);

  const first = await drive.backup(packs);
  const copies = await contentsIn("site");
  expect(new Set(copies.map(([name]) => name.split("/")[0]))).toEqual(
    new Set(["chunks", "format.json", "packs"]),
  );
  await makeTree(root, Object.fromEntries(copies));
  const wanted = [...(await readTree(root)).keys()].sort();
  const second = await drive.backup({ ...packs, mode: "incremental" });
  const beside = await drive.backup(files);
  expect(await namesIn("site-files")).toEqual(wanted);
  await expectHeld([second.run, beside.run]);

  const saved = await save("blobs", await contentsIn("site"));
  const to = path.join(folder(), "unpacked");
  expect(unpack(saved, "--to", to)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));

  // Nobody needs the first pack's blob any more, but for the site's copy of it.
  await writeFile(path.join(root, "small"), "other");
  await rm(path.join(root, "d"), { recursive: true });
  const third = await drive.backup({ ...packs, mode: "incremental" });
  const later = await drive.backup({ ...files, mode: "incremental" });
  for (const { prefix } of [packs, files]) await drive.prune({ container, prefix, keepLast: 1 });
  expect(await namesIn("site-files")).toEqual([...(await readTree(root)).keys()].sort());
  const left = await namesIn("site");
  expect(left.filter((name) => name.includes(first.run))).toEqual([]);
  await expectHeld([third.run, later.run]);
});
