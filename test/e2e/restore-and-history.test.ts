/** Two backups of a tree that changes in between: each restores to what it saw, and verifies until a blob is damaged. */
import { createHash } from "node:crypto";
import { readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytes, directory, inMicroseconds, link, makeTree, readTree } from "../harness/tree.ts";
import { backUp, end, inFiles, newContainer, newRoot } from "./client.ts";

const FIRST = {
  "same.bin": bytes(3000),
  "same-size.txt": "before",
  "grows.txt": "short",
  "gone.txt": "gone",
  "old-name.txt": "renamed",
  "a-file": "a directory later",
  "a-directory/inside": "a file later",
  empty: directory(),
  "a-link": link("same.bin"),
};

/** Every kind of change that a tree can see. */
async function change(root: string): Promise<void> {
  const at = (name: string) => path.join(root, name);
  await writeFile(at("same-size.txt"), "after!");
  await writeFile(at("grows.txt"), "longer than it was");
  for (const name of ["gone.txt", "a-file", "a-directory", "a-link"]) await rm(at(name), { recursive: true });
  await rename(at("old-name.txt"), at("new-name.txt"));
  await makeTree(root, { "new.txt": "new", "a-file/inside": "a file in it", "a-directory": "a file now" });
  await makeTree(root, { "empty/no-more": "filled" });
  await symlink("new.txt", at("a-link"));
}

async function twoBackups() {
  const root = await makeTree(await newRoot(), FIRST);
  const container = newContainer();
  const place = { root, container: container.containerName };
  const before = await readTree(root);
  const first = await backUp(place);
  expect(first.runtimeStatus).toBe("Completed");
  await change(root);
  const after = await readTree(root);
  const second = await backUp({ ...place, mode: "incremental" });
  expect(second).toMatchObject({ runtimeStatus: "Completed", customStatus: { counts: { failed: 0 } } });
  return { container, before, after, first: first.instanceId, second: second.instanceId };
}

describe("the history of a tree", () => {
  it("restores each of two backups to what it saw, the second over the first; both verify", async () => {
    const { before, after, first, second } = await twoBackups();
    const parent = await newRoot();
    const to = path.join(parent, "made/by/the/restore");

    const dry = await end("restoreSiteContent", { run: first, to, dryRun: true });
    expect(dry).toMatchObject({ runtimeStatus: "Completed", customStatus: { counts: { failed: 0 } } });
    expect(await readdir(parent)).toEqual([]);

    const old = await end("restoreSiteContent", { run: first, to });
    expect(old).toMatchObject({ runtimeStatus: "Completed", output: dry.output });
    const restored = inMicroseconds(await readTree(to));
    expect(restored).toEqual(inMicroseconds(before));

    const wouldDelete = await end("restoreSiteContent", { run: second, to, delete: true, dryRun: true });
    expect(wouldDelete.runtimeStatus).toBe("Completed");
    expect(inMicroseconds(await readTree(to))).toEqual(restored);

    const latest = await end("restoreSiteContent", { run: second, to, delete: true });
    expect(latest.runtimeStatus).toBe("Completed");
    expect(inMicroseconds(await readTree(to))).toEqual(inMicroseconds(after));

    for (const [run, tree] of [
      [first, before],
      [second, after],
    ] as const) {
      const verified = await end("verifyBackup", { run, readData: true });
      const files = [...tree.values()].filter(({ kind }) => kind !== "directory").length;
      expect(verified).toMatchObject({ runtimeStatus: "Completed", output: files });
    }
  });

  it.runIf(inFiles)(
    "verify names a blob that was damaged under its old hash, and fails; reading is what finds it",
    async () => {
      const { container, first, second } = await twoBackups();
      const content = bytes(3000);
      const blobContentMD5 = createHash("md5").update(content).digest();
      content[1500]! ^= 1;
      const blob = container.getBlockBlobClient("same.bin");
      await blob.upload(content, content.length);
      await blob.setHTTPHeaders({ blobContentMD5 });

      expect(await end("verifyBackup", { run: first })).toMatchObject({ runtimeStatus: "Completed" });
      for (const run of [first, second]) {
        const read = await end("verifyBackup", { run, readData: true });
        expect(read.runtimeStatus).toBe("Failed");
        expect(read.output).toMatch(/\b1 of \d+ files failed/);
        expect(read.output).toMatch(/same\.bin: corrupt: .*MD5/);
      }
    },
  );
});
