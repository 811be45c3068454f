/** Blobs and records that are damaged: each is named, over HTTP, and costs nothing else. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytes, makeTree, readTree } from "../harness/tree.ts";
import { backUp, end, get, inFiles, newContainer, newRoot, service } from "./client.ts";

const TREE = { flipped: bytes(3000), "d/short": bytes(2000), "d/gone": "gone", "d/e/whole": "whole", z: "z" };
const ledgers = service.getContainerClient("backup-runs");

/** A backup of a tree in a container of its own. */
async function backedUp() {
  const root = await makeTree(await newRoot(), TREE);
  const container = newContainer();
  const place = { root, container: container.containerName };
  const { instanceId: run, runtimeStatus } = await backUp(place);
  expect(runtimeStatus).toBe("Completed");
  return { root, container, place, run };
}

/** The files of a run that failed, each with its reason. */
async function failures(run: string): Promise<Record<string, string>> {
  const { files } = (await get(`/backups/${run}/files?outcome=failed`)) as {
    files: { path: string; reason: string }[];
  };
  return Object.fromEntries(files.map(({ path: name, reason }) => [name, reason]));
}

/** Restores into an empty directory. @returns the names that are there then */
async function restoredNames(run: string): Promise<string[]> {
  const to = await newRoot();
  await end("restoreSiteContent", { run, to });
  return [...(await readTree(to)).keys()].sort();
}

/** Cuts a record short, in its last line. @returns the file that the line was about, and where it is in the record */
async function tear(name: string): Promise<{ path: string; line: number; offset: number }> {
  const blob = ledgers.getBlockBlobClient(name);
  const { metadata = {} } = await blob.getProperties();
  const text = await blob.downloadToBuffer();
  await blob.upload(text.subarray(0, -20), text.length - 20, { metadata });
  const lines = text.toString().trimEnd().split("\n");
  const last = lines.pop() ?? "";
  const { path: torn } = JSON.parse(last) as { path: string };
  return { path: torn, line: lines.length + 1, offset: text.length - Buffer.byteLength(last) - 1 };
}

async function firstRecord(run: string): Promise<string> {
  const blobs = ledgers.listBlobsFlat({ prefix: `${run}/outcomes/` });
  return (await blobs.next()).value?.name ?? "";
}

describe("damaged blobs", () => {
  it.runIf(inFiles)(
    "one corrupted, one truncated and one missing are named; all others are restored, what is there is not replaced",
    async () => {
      const { root, container, run, place } = await backedUp();
      const flipped = container.getBlockBlobClient("flipped");
      const { contentMD5, metadata = {} } = await flipped.getProperties();
      const content = bytes(3000);
      content[99]! ^= 1;
      await flipped.upload(content, content.length, { metadata });
      await flipped.setHTTPHeaders({ blobContentMD5: contentMD5 });
      await container.getBlockBlobClient("d/short").upload(bytes(1999), 1999, { metadata });
      await container.deleteBlob("d/gone", { deleteSnapshots: "include" });

      const verified = await end("verifyBackup", { run, readData: true });
      expect(verified.runtimeStatus).toBe("Failed");
      expect(verified.output).toContain("3 of 5 files failed");
      expect(await failures(verified.instanceId)).toEqual({
        flipped: expect.stringContaining("MD5"),
        "d/short": expect.stringContaining("2000 bytes"),
        "d/gone": expect.stringContaining("missing"),
      });

      const to = await newRoot();
      await writeFile(path.join(to, "flipped"), "mine");
      const restored = await end("restoreSiteContent", { run, to });
      expect(restored.runtimeStatus).toBe("Failed");
      expect(Object.keys(await failures(restored.instanceId)).sort()).toEqual([
        "d/gone",
        "d/short",
        "flipped",
      ]);
      const tree = await readTree(to);
      expect(Object.fromEntries([...tree].map(([name, { content: is }]) => [name, is.toString()]))).toEqual({
        flipped: "mine",
        "d/e/whole": "whole",
        z: "z",
      });

      // A full backup makes the blobs whole again.
      expect((await backUp({ ...place, mode: "full" })).runtimeStatus).toBe("Completed");
      expect((await end("verifyBackup", { run, readData: true })).runtimeStatus).toBe("Completed");
      expect(await restoredNames(run)).toEqual([...(await readTree(root)).keys()].sort());
    },
  );
});

describe("damaged records", () => {
  it("a torn one is named by every way to read it, and costs its own file only", async () => {
    const { root, run, place } = await backedUp();
    const record = await firstRecord(run);
    const { path: lost, line, offset } = await tear(record);
    const below = record.slice(run.length + 1);
    const page = (await get(`/backups/${run}/files`)) as { files: unknown[]; damaged: unknown };
    expect(page).toMatchObject({ damaged: [{ record: below, offset }] });
    expect(page.files).toHaveLength(4);

    const verified = await end("verifyBackup", { run });
    expect(verified.runtimeStatus).toBe("Failed");
    expect(await failures(verified.instanceId)).toEqual({
      [`backup-runs/${record}`]: expect.stringMatching(new RegExp(`record .*\\bline ${line}\\b`)),
    });
    expect(await restoredNames(run)).toEqual(
      [...(await readTree(root)).keys()].filter((name) => name !== lost).sort(),
    );
    const refused = await end("restoreSiteContent", { run, to: await newRoot(), delete: true });
    expect(refused).toMatchObject({ runtimeStatus: "Failed" });
    expect(refused.output).toMatch(/"delete" .*record/);

    // The next run is as good as ever, and a prune lets the torn one go.
    await writeFile(path.join(root, "z"), "other");
    const next = await backUp({ ...place, mode: "incremental" });
    expect(await end("pruneBackups", { container: place.container, keepLast: 1 })).toMatchObject({
      runtimeStatus: "Completed",
      customStatus: { runs: { kept: 1, forgotten: 1 } },
    });
    expect(await restoredNames(next.instanceId)).toEqual(Object.keys(TREE).sort());
  });

  it("one that a prune needs stops it, by name, and nothing is deleted", async () => {
    const { root, place, container } = await backedUp();
    await writeFile(path.join(root, "z"), "other");
    const { instanceId: kept } = await backUp({ ...place, mode: "incremental" });
    const record = await firstRecord(kept);
    await tear(record);
    const held = async (): Promise<string[]> => {
      const blobs: string[] = [];
      for await (const { name } of container.listBlobsFlat({ includeSnapshots: true })) blobs.push(name);
      return blobs;
    };
    const before = await held();
    const stopped = await end("pruneBackups", { container: place.container, keepLast: 1 });
    expect(stopped.runtimeStatus).toBe("Failed");
    expect(stopped.output).toContain(record);
    expect(await held()).toEqual(before);
  });
});
