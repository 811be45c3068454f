/** A blob says which file of which root it is of, as it was when: what is taken for it, and what is not. */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import { describe, expect, test } from "vitest";
import { Drive, startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

const { azurite, drive } = startDrive();

/** So deep that the path has thousands of spellings. */
const DEEP = "1/2/3/4/5/6/7/8/9/10";

function newPlace() {
  const container = `which-${randomUUID()}`;
  return { container, at: azurite.service.getContainerClient(container) };
}

/** What a run says that it has comes back so; whatever else there was failed by name. */
async function expectTrue(run: string, root: string): Promise<string[]> {
  const outcomes = [...(await drive.outcomes(run)).values()];
  const failed = outcomes.filter(({ outcome }) => outcome === "failed");
  for (const { reason } of failed) expect(reason).toMatch(/Blob Storage turns "\\" into "\/"/);
  const to = temporary();
  const { tally } = await drive.restore({ run, to });
  expect(tally).toMatchObject({ failures: [], counts: { failed: 0 } });
  const wanted = await snapshotOf(root);
  for (const { path: name } of failed) wanted.delete(name);
  const restored = await snapshotOf(to);
  for (const [name, node] of wanted) expect(restored.get(name), name).toBe(node);
  expect((await drive.verify({ run, readData: true })).tally.counts.failed).toBe(0);
  return failed.map(({ path: name }) => name);
}

describe.skipIf(process.platform === "win32")(
  "two names, one blob: one is stored whole, the other fails by name",
  () => {
    const large = "x".repeat(200);
    test.each([
      ["files of one part", { "a\\b/c": "first", "a/b\\c": "second" }, {}],
      ["files of two parts", { "a\\b/c": "first", "a/b\\c": "second" }, { listFiles: 1 }],
      ["a large file beside a small one", { "a\\b/c": large, "a/b\\c": "second" }, { largeFile: 100 }],
      ["large files", { "a\\b/c": large, "a/b\\c": large.replace("x", "y") }, { largeFile: 100 }],
      ["a file beside an empty directory", { "a\\b": "first" }, {}],
    ])("%s", async (_what, files, settings) => {
      const { container } = newPlace();
      const limited = new Drive(azurite.service, settings);
      const root = temporary();
      await write(
        root,
        Object.fromEntries(Object.entries(files).map(([name, text]) => [`${DEEP}/${name}`, text])),
      );
      const twoFiles = Object.keys(files).length === 2;
      if (!twoFiles) await mkdir(path.join(root, DEEP, "a/b"), { recursive: true });
      const first = await limited.backup({ root, container, keepVersions: false });
      const failed = await expectTrue(first.run, root);
      expect(failed).toHaveLength(1);
      for (const mode of ["full", "incremental", "incremental"]) {
        const { run, tally } = await limited.backup({ root, container, mode, keepVersions: false });
        const again = await expectTrue(run, root);
        expect(again.length).toBeLessThan(2);
        if (!twoFiles) continue;
        expect(again).toEqual(failed);
        expect(mode === "incremental" ? tally.counts.copied : 0).toBe(0);
      }
    });
  },
);

/** Blobs as earlier releases left them. */
async function dropMarks(at: ContainerClient): Promise<void> {
  for await (const { name, metadata = {} } of at.listBlobsFlat({ includeMetadata: true })) {
    const { path: _path, root: _root, ctime: _ctime, ...old } = metadata;
    await at.getBlobClient(name).setMetadata(old);
  }
}

async function etags(at: ContainerClient): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, properties } of at.listBlobsFlat()) found[name] = properties.etag;
  return found;
}

const TIME = 1_000_000_000_000_000;

describe("an incremental run", () => {
  const incremental = { mode: "incremental" };

  test.each([
    ["small", "1.0.1", "1.0.2", {}],
    ["in blocks", "a".repeat(9_000_000), `b${"a".repeat(8_999_999)}`, {}],
    ["large", "a".repeat(200), "b".repeat(200), { largeFile: 100 }],
  ])(
    "sees other content of the same size and time, %s; content that is the same is not sent again",
    async (_kind, old, content, settings) => {
      const { container, at } = newPlace();
      const limited = new Drive(azurite.service, settings);
      const root = temporary();
      await write(root, { version: old, same: old }, TIME);
      await limited.backup({ root, container, ...incremental });
      await write(root, { version: content, same: old }, TIME);
      const { run, tally } = await limited.backup({ root, container, ...incremental });
      expect(tally.counts).toMatchObject({ copied: 1, unchanged: 1 });
      expect(await expectTrue(run, root)).toEqual([]);
      // Its new ctime was noted: the next run does not even read it.
      const before = await etags(at);
      expect((await limited.backup({ root, container, ...incremental })).tally.counts.unchanged).toBe(2);
      expect(await etags(at)).toEqual(before);
    },
  );

  test("notes a new mode without sending the content", async () => {
    const { container, at } = newPlace();
    const root = temporary();
    await write(root, { file: "content" });
    await drive.backup({ root, container, ...incremental });
    await chmod(path.join(root, "file"), 0o600);
    const { run, tally } = await drive.backup({ root, container, ...incremental });
    expect(tally.counts).toMatchObject({ copied: 0, unchanged: 1 });
    expect((await at.getBlobClient("file").getProperties()).metadata).toMatchObject({ mode: "0600", run });
    expect(await expectTrue(run, root)).toEqual([]);
  });

  test("with allowOtherRoot does not take the other root's content for its own, nor the other root this one's", async () => {
    const { container } = newPlace();
    const [one, other] = [temporary(), temporary()];
    const allow = { container, ...incremental, allowOtherRoot: true };
    await write(one, { file: "one" }, TIME);
    await write(other, { file: "two" }, TIME);
    await drive.backup({ root: one, ...allow });
    for (const root of [other, one, other]) {
      const { run, tally } = await drive.backup({ root, ...allow });
      expect(tally.counts).toMatchObject({ copied: 1, unchanged: 0 });
      expect(await expectTrue(run, root)).toEqual([]);
    }
  });

  test("takes what an earlier release stored for unchanged, unless another root's backups are there", async () => {
    const { container, at } = newPlace();
    const [one, other] = [temporary(), temporary()];
    await write(one, { file: "one" }, TIME);
    await symlink("file", path.join(one, "link"));
    await mkdir(path.join(one, "empty"));
    await drive.backup({ root: one, container });
    await dropMarks(at);
    const before = await etags(at);
    const again = await drive.backup({ root: one, container, ...incremental });
    expect(again.tally.counts).toMatchObject({ copied: 0, unchanged: 2, directories: 1 });
    expect(await etags(at)).toEqual(before);

    await write(other, { file: "two" }, TIME);
    await utimes(path.join(other, "file"), TIME / 1e6, TIME / 1e6);
    const { run, tally } = await drive.backup({
      root: other,
      container,
      ...incremental,
      allowOtherRoot: true,
    });
    expect(tally.counts).toMatchObject({ copied: 1, unchanged: 0 });
    expect(await expectTrue(run, other)).toEqual([]);
  });

  test("whose file took another's place in the container keeps that one's content", async () => {
    const { container } = newPlace();
    const root = temporary();
    await write(root, { "a/b": "old" });
    const first = await drive.backup({ root, container });
    await rm(path.join(root, "a"), { recursive: true });
    await writeFile(path.join(root, "a\\b"), "new");
    const second = await drive.backup({ root, container, ...incremental, keepVersions: false });
    expect(await expectTrue(second.run, root)).toEqual([]);
    const to = temporary();
    expect((await drive.restore({ run: first.run, to })).tally.counts).toMatchObject({
      copied: 1,
      failed: 0,
    });
  });
});
