import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, lutimes, mkdir, readFile, readdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import type { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/ledger/ledger.ts";
import { overlaps } from "../../src/manifest/piece.ts";
import { mapRun } from "../../src/manifest/run-map.ts";
import { allBelow } from "../../src/model/order.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "./tree.ts";

let azurite: TestStorage;
let service: BlobServiceClient;
let drive: Drive;

beforeAll(async () => {
  azurite = takeAccount();
  service = azurite.service;
  drive = new Drive(service);
});
afterAll(async () => {
  await azurite?.stop();
});

const prefix = () => `p-${randomUUID()}`;

/** Every kind of name that a POSIX file system has and Blob Storage takes. */
async function everyKind(): Promise<string> {
  const root = temporary();
  const names = [
    "a b",
    "ünï/ço dé",
    "日本/語.txt",
    "😀.txt",
    "a%20b",
    "a+b&c=d?e#f",
    "quo\"te's",
    ".hidden/.x",
    "tab~",
    "-dash",
    "C:\\x",
  ];
  await write(root, Object.fromEntries(names.map((name) => [name, `content of ${name}`])));
  await write(root, { zero: "", "deep/1/2/3/4/5/6/7/8/9": "deep", [`long/${"n".repeat(255)}`]: "long" });
  await writeFile(path.join(root, "big"), randomBytes(20 * 1024 * 1024 + 12345));
  await writeFile(path.join(root, "program"), "#!/bin/sh\n", { mode: 0o755 });
  await chmod(path.join(root, "program"), 0o755);
  await writeFile(path.join(root, "secret"), "s", { mode: 0o600 });
  await utimes(path.join(root, "secret"), 1_600_000_000.123456, 1_600_000_000.123456);
  await utimes(path.join(root, "zero"), new Date(-123_000), new Date(-123_000));
  await mkdir(path.join(root, "empty/inner"), { recursive: true, mode: 0o750 });
  await utimes(path.join(root, "empty/inner"), 1_500_000_000, 1_500_000_000);
  await symlink("../outside/../../etc/passwd", path.join(root, "link"));
  await symlink("nowhere", path.join(root, "deep/dangling"));
  await lutimes(path.join(root, "link"), 1_400_000_000, 1_400_000_000);
  return root;
}

describe("a round trip", () => {
  test("brings every kind of name, content, link, empty directory, mode and time back", async () => {
    const root = await everyKind();
    const before = await snapshotOf(root);
    const { run, tally } = await drive.backup({ root, prefix: prefix() });
    expect(tally.failures).toEqual([]);
    const to = temporary();
    const restored = await drive.restore({ run, to });
    expect(restored.tally.failures).toEqual([]);
    expect(await snapshotOf(to)).toEqual(before);
    expect(restored.tally.counts.bytes).toBe(tally.counts.bytes);
    const again = await drive.restore({ run, to });
    expect(again.tally.counts).toMatchObject({ copied: 0, bytes: 0, unchanged: tally.counts.copied });
    expect(await snapshotOf(to)).toEqual(before);
    for (const readData of [false, "50%", true]) {
      const verified = await drive.verify({ run, readData });
      expect(verified.tally.failures).toEqual([]);
      expect(verified.tally.counts.unchanged).toBe(tally.counts.copied);
    }
  });

  test("a directory that it makes is as the root was; one that was there stays as it is", async () => {
    const root = temporary();
    await write(root, { "a/file": "x" });
    await chmod(root, 0o751);
    await utimes(root, 1_500_000_000, 1_500_000_000);
    const { run } = await drive.backup({ root, prefix: prefix() });
    const looks = async (directory: string) => {
      const { mode, mtimeMs } = await stat(directory);
      return `${(mode & 0o777).toString(8)} ${mtimeMs}`;
    };

    const made = path.join(temporary(), "new", "site");
    await drive.restore({ run, to: made });
    expect(await looks(made)).toBe("751 1500000000000");
    const there = temporary();
    await drive.restore({ run, to: there });
    expect(await looks(there)).toMatch(/^700 /);
    const some = path.join(temporary(), "some");
    await drive.restore({ run, to: some, include: ["a/file"] });
    expect(await looks(some)).toBe("751 1500000000000");
  });

  test("divides a big run among parts", async () => {
    const root = temporary();
    for (let index = 0; index < 300; index++) await write(root, { [`d${index % 7}/f${index}`]: `${index}` });
    const small = new Drive(service, { listFiles: 20 });
    const { run } = await small.backup({ root, prefix: prefix() });
    const to = temporary();
    const { tally } = await small.restore({ run, to });
    expect(tally.counts).toMatchObject({ copied: 300, failed: 0 });
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
    expect((await small.verify({ run, readData: true })).tally.counts).toMatchObject({
      unchanged: 300,
      failed: 0,
    });
  });

  test("brings large files back, of which there are more than are restored at a time", async () => {
    const root = temporary();
    const names = Array.from({ length: 20 }, (_none, index) => `f${index}`);
    await write(root, Object.fromEntries(names.map((name) => [name, `content of ${name}`])));
    const divided = new Drive(service, { largeFile: 4 });
    const { run } = await divided.backup({ root, prefix: prefix() });
    const to = temporary();
    const { tally } = await divided.restore({ run, to });
    expect(tally.counts).toMatchObject({ copied: 20, failed: 0 });
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
    const verified = await divided.verify({ run, readData: true });
    expect(verified.tally.counts).toMatchObject({ unchanged: 20, failed: 0 });
  });
});

describe("history", () => {
  test("brings an older run back, from snapshots", async () => {
    const root = temporary();
    const to = prefix();
    await write(root, { a: "one", "d/b": "same", "d/deep/c": "one", gone: "gone" }, 1_700_000_000_000_000);
    const first = await drive.backup({ root, prefix: to });
    const then = await snapshotOf(root);
    await write(root, { a: "two", "d/deep/c": "ONE", new: "new" });
    await drive.backup({ root, prefix: to });
    await write(root, { a: "three" });
    await drive.backup({ root, prefix: to, mode: "incremental" });
    const there = temporary();
    await write(there, { keep: "extra" });
    const { tally, deleted } = await drive.restore({ run: first.run, to: there, delete: true });
    expect(tally.failures).toEqual([]);
    expect(deleted).toBe(1);
    expect(await snapshotOf(there)).toEqual(then);
    expect((await drive.verify({ run: first.run, readData: true })).tally.counts).toMatchObject({
      unchanged: 4,
      failed: 0,
    });
  });

  test("finds the newest run that began at or before a time", async () => {
    const root = temporary();
    const place = prefix();
    await write(root, { a: "one" });
    await drive.backup({ root, prefix: place });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const between = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await write(root, { a: "two" });
    await drive.backup({ root, prefix: place });
    const to = temporary();
    await drive.restore({ at: between, prefix: place, to });
    expect(await readFile(path.join(to, "a"), "utf8")).toBe("one");
    await drive.restore({ at: new Date().toISOString(), prefix: place, to });
    expect(await readFile(path.join(to, "a"), "utf8")).toBe("two");
    const none = await drive.restore({ at: "2020-01-01T00:00:00Z", prefix: place, to });
    expect(none.tally.stopped).toContain("no backup");
  });

  test.each([{ dryRun: true }, {}])("says at once that its target is a file (%j)", async (how) => {
    const folder = temporary();
    await write(folder, { a: "mine" });
    const place = prefix();
    const { run } = await drive.backup({ root: folder, prefix: place });
    const to = path.join(folder, "a");
    const { tally } = await drive.restore({ run, to, ...how });
    expect(tally.stopped).toContain(` ${to} `);
    expect(tally.stopped).toContain("(ENOTDIR)");
    expect(await readFile(to, "utf8")).toBe("mine");
  });
});

describe("what is there already", () => {
  async function started() {
    const root = temporary();
    await write(root, { same: "same", size: "12345", time: "abc", gone: "gone" }, 1_700_000_000_000_000);
    const { run } = await drive.backup({ root, prefix: prefix() });
    const to = temporary();
    await write(to, { same: "SAME", size: "1" }, 1_700_000_000_000_000);
    await write(to, { time: "ABC" }, 1_600_000_000_000_000);
    const read = async (name: string) => await readFile(path.join(to, name), "utf8");
    return { run, to, read };
  }

  test("never: nothing is touched", async () => {
    const { run, to, read } = await started();
    const { tally } = await drive.restore({ run, to, overwrite: "never" });
    expect(tally.counts).toMatchObject({ copied: 1, unchanged: 1, skipped: 2, failed: 0 });
    expect([await read("same"), await read("size"), await read("time")]).toEqual(["SAME", "1", "ABC"]);
  });

  test("changed: what differs in size or time", async () => {
    const { run, to, read } = await started();
    const { tally } = await drive.restore({ run, to });
    expect(tally.counts).toMatchObject({ copied: 3, unchanged: 1, failed: 0 });
    expect([await read("same"), await read("size"), await read("time")]).toEqual(["SAME", "12345", "abc"]);
  });

  test("always: everything", async () => {
    const { run, to, read } = await started();
    expect((await drive.restore({ run, to, overwrite: "always" })).tally.counts.copied).toBe(4);
    expect(await read("same")).toBe("same");
  });

  test("a dry run writes nothing and says what it would do", async () => {
    const { run, to } = await started();
    await write(to, { extra: "extra" });
    const before = await snapshotOf(to);
    const { run: dry, tally, deleted } = await drive.restore({ run, to, dryRun: true, delete: true });
    expect(await snapshotOf(to)).toEqual(before);
    expect(tally.counts).toMatchObject({ copied: 3, unchanged: 1 });
    expect(deleted).toBe(1);
    expect((await drive.outcomes(dry)).get("gone")?.reason).toMatch(/^dry run: .*created/);
    const nowhere = path.join(to, "not/there");
    expect((await drive.restore({ run, to: nowhere, dryRun: true })).tally.counts.copied).toBe(4);
    expect(existsSync(nowhere)).toBe(false);
  });

  test("a file in the place of a directory, and the other way round", async () => {
    const root = temporary();
    await write(root, { "a/b": "in a directory", c: "a file", d: "a file" });
    const { run } = await drive.backup({ root, prefix: prefix() });
    const to = temporary();
    await write(to, { a: "a file", "c/d": "in a directory" });
    await mkdir(path.join(to, "d"));
    const never = await drive.restore({ run, to, overwrite: "never" });
    expect(never.tally.counts).toMatchObject({ copied: 0, skipped: 3 });
    for (const [more, counts] of [
      [{}, { copied: 2, failed: 1 }],
      [{ delete: true }, { copied: 3, failed: 0 }],
    ] as const) {
      expect((await drive.restore({ run, to, dryRun: true, ...more })).tally.counts).toMatchObject(counts);
    }
    const { run: id, tally } = await drive.restore({ run, to });
    expect(tally.counts).toMatchObject({ copied: 2, failed: 1 });
    expect((await drive.outcomes(id)).get("c")?.reason).toMatch(/directory .*not empty/);
    await drive.restore({ run, to, delete: true });
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
  });
});

/** Content of a file that is a batch of its own. */
const WORTH_A_BATCH = "x".repeat(8 * 1024 * 1024);

test("a batch that could not be tried at all costs its own files, by name, also in a restore and a verification", async () => {
  const root = temporary();
  await write(root, { a: WORTH_A_BATCH, "d/b": WORTH_A_BATCH });
  const { run: source } = await drive.backup({ root, prefix: prefix() });
  const unlucky = new Drive(service);
  unlucky.before = (activity, input) => {
    if (["restoreFiles", "verifyFiles"].includes(activity) && (input as { batch: number }).batch === 1)
      throw new Error("storage was gone");
  };
  for (const { tally } of [
    await unlucky.restore({ run: source, to: temporary() }),
    await unlucky.verify({ run: source, readData: true }),
  ])
    expect(tally).toMatchObject({ counts: { failed: 1 }, failures: ["d/b: storage was gone"] });
});

describe("a path", () => {
  const restored = async (given: string, files: Record<string, string>) => {
    const root = temporary();
    await write(root, files);
    const { run } = await drive.backup({ root, prefix: prefix() });
    const to = temporary();
    await write(to, { "d/extra": "x", extra: "x" });
    const { tally, message } = await drive.restore({ run, to, path: given, delete: true });
    return { tally, message, names: [...(await snapshotOf(to)).keys()] };
  };

  test("is a file, or a directory with what is below it, and no pattern; nothing else is deleted", async () => {
    const files = { "[d]*/x": "1", d1: "2", "d/1": "3", "d/2/3": "4", dd: "5", "a\\nb": "6" };
    expect((await restored("d", files)).names).toEqual(["d/1", "d/2/3", "extra"]);
    expect((await restored("[d]*", files)).names).toEqual(["[d]*/x", "d/extra", "extra"]);
    expect((await restored("a\\\\nb", files)).names).toEqual(["a\\nb", "d/extra", "extra"]);
    const none = await restored("D", files);
    expect(none.names).toEqual(["d/extra", "extra"]);
    expect(none.message).toMatch(/"D" .*\b[0-9a-f]{32}\b/);
  });

  test("is restored from the records that can hold it: what is wrong with others does not matter", async () => {
    const root = temporary();
    for (let index = 0; index < 60; index++) await write(root, { [`d${index % 3}/f${index}`]: `${index}` });
    const small = new Drive(service, { listFiles: 20 });
    const { run } = await small.backup({ root, prefix: prefix() });
    const ledgers = service.getContainerClient("backup-runs");
    let damaged = 0;
    for (const { name, fences } of (await mapRun({ service }, run)).outcomes) {
      if (!fences || overlaps(fences, allBelow("d1"))) continue;
      const blob = ledgers.getBlockBlobClient(`${run}/${name}`);
      const { metadata = {} } = await blob.getProperties();
      await blob.upload("{", 1, { metadata });
      damaged++;
    }
    expect(damaged).toBeGreaterThan(0);
    for (const request of [{ path: "d1" }, { include: ["/d1/f*"] }]) {
      const to = temporary();
      const { tally } = await small.restore({ run, to, ...request });
      expect(tally).toMatchObject({ counts: { copied: 20, failed: 0 }, failures: [] });
      expect(await readdir(to)).toEqual(["d1"]);
    }
  });
});

describe("delete", () => {
  test("removes only what the patterns of restore and backup cover", async () => {
    const root = temporary();
    await write(root, { "a.txt": "a", "node_modules/x": "x", "logs/l.log": "l" });
    const { run } = await drive.backup({ root, prefix: prefix(), exclude: ["node_modules"] });
    const to = temporary();
    await write(to, { "b.txt": "extra", "node_modules/y": "y", "logs/m.log": "extra", "old/z.txt": "z" });
    await mkdir(path.join(to, "old/empty"));
    const { deleted } = await drive.restore({ run, to, delete: true, exclude: ["logs"] });
    expect(deleted).toBe(4);
    expect([...(await snapshotOf(to)).keys()]).toEqual(["a.txt", "logs/m.log", "node_modules/y"]);
  });

  test("leaves its time to a directory that was empty", async () => {
    const root = temporary();
    await mkdir(path.join(root, "empty"));
    await utimes(path.join(root, "empty"), 1_600_000_000, 1_600_000_000);
    const { run } = await drive.backup({ root, prefix: prefix() });
    const to = temporary();
    await write(to, { "empty/extra": "extra", "empty/below/extra": "extra" });
    const { deleted } = await drive.restore({ run, to, delete: true });
    expect(deleted).toBe(3);
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
  });

  test("continues where its time was up", async () => {
    const root = temporary();
    await write(root, { "d/keep": "k", z: "z" });
    const { run } = await drive.backup({ root, prefix: prefix() });
    const to = temporary();
    for (let index = 0; index < 30; index++)
      await write(to, { [`${"abcdef"[index % 6]}/${index}`]: "extra" });
    const slow = new Drive(service, { listMs: 0 });
    const { deleted, tally } = await slow.restore({ run, to, delete: true });
    expect(tally.counts.failed).toBe(0);
    expect(deleted).toBe(30 + 5);
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
  });

  test("looks only where something of what is meant may be", async () => {
    const root = temporary();
    await write(root, { "d/e/keep": "k", z: "z" });
    const { run } = await drive.backup({ root, prefix: prefix() });
    for (const request of [{ path: "d/e" }, { include: ["/d/e/*"] }]) {
      const to = temporary();
      for (let index = 0; index < 30; index++) await write(to, { [`other/${index}`]: "o" });
      await write(to, { "d/e/extra": "x", "d/other": "o" });
      const slow = new Drive(service, { listMs: 0 });
      const { run: restore, deleted } = await slow.restore({
        run,
        to,
        delete: true,
        dryRun: true,
        ...request,
      });
      let slices = 0;
      const ledgers = service.getContainerClient("backup-runs");
      for await (const { name } of ledgers.listBlobsFlat({ prefix: `${restore}/deleted/` }))
        if (name.endsWith(".json")) slices++;
      expect(slices).toBeLessThan(8);
      expect(deleted).toBe(1);
    }
  });

  test("a dry run names the same in one go, in many, and as is removed then", async () => {
    const root = temporary();
    await write(root, { "d/keep": "k", z: "z" });
    const { run } = await drive.backup({ root, prefix: prefix() });
    const to = temporary();
    const extra = ["a/1", "a/b/2", "a/b/3", "d/4", "d/e/5", "m/n/o/6", "y", "zz/7"];
    await write(to, Object.fromEntries(extra.map((name) => [name, "extra"])));
    for (const empty of ["a/b/empty", "c", "d/f/g"]) await mkdir(path.join(to, empty), { recursive: true });
    const named = async (driven: Drive, dryRun: boolean): Promise<string[]> => {
      const restored = await driven.restore({ run, to, delete: true, dryRun });
      const container = service.getContainerClient("backup-runs");
      const names: string[] = [];
      for await (const { name } of container.listBlobsFlat({ prefix: `${restored.run}/deleted/` })) {
        if (!name.endsWith(".jsonl")) continue;
        const ledger = new Ledger(service, restored.run);
        const read = await ledger.readAllLines<{ path: string }>(name.slice(restored.run.length + 1));
        names.push(...(read?.lines ?? []).map((line) => line.path));
      }
      expect(restored.deleted).toBe(names.length);
      return names.sort();
    };
    const slow = new Drive(service, { listMs: 0 });
    const told = await named(drive, true);
    expect(told).toEqual(
      [...extra, "a", "a/b", "a/b/empty", "c", "d/e", "d/f", "d/f/g", "m", "m/n", "m/n/o", "zz"].sort(),
    );
    expect(await named(slow, true)).toEqual(told);
    expect(await named(slow, false)).toEqual(told);
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
  });

  test.runIf(process.platform === "linux")(
    "files and directories whose names are not valid UTF-8 go, too",
    async () => {
      const root = temporary();
      await write(root, { a: "a" });
      const { run } = await drive.backup({ root, prefix: prefix() });
      const to = temporary();
      const at = (name: string) => Buffer.concat([Buffer.from(`${to}/`), Buffer.from(name, "latin1")]);
      await writeFile(at("f\xfcr"), "latin1");
      await mkdir(at("dir-f\xfcr"));
      const { tally, deleted } = await drive.restore({ run, to, delete: true });
      expect(deleted).toBe(2);
      expect(tally.counts).toMatchObject({ copied: 1, failed: 0 });
      const left = await readdir(to, { encoding: "buffer" });
      expect(left.map((name) => name.toString("latin1"))).toEqual(["a"]);
    },
  );

  test("removes nothing when the run's record is not whole", async () => {
    const root = temporary();
    await write(root, { a: WORTH_A_BATCH, b: WORTH_A_BATCH });
    const { run } = await drive.backup({ root, prefix: prefix() });
    await service.getContainerClient("backup-runs").deleteBlob(`${run}/outcomes/0-0001.jsonl`);
    const to = temporary();
    await write(to, { b: "mine" });
    const { tally } = await drive.restore({ run, to, delete: true });
    expect(tally.stopped).toMatch(/"delete" .*record/);
    expect(await readdir(to)).toEqual(["b"]);
  });

  test("stops at a line that says nothing, before anything that it may be about", async () => {
    const root = temporary();
    await write(root, { "a/one": "1", "b/two": "2", "b/three": "3" });
    const { run } = await drive.backup({ root, prefix: prefix() });
    const record = service
      .getContainerClient("backup-runs")
      .getBlockBlobClient(`${run}/outcomes/0-0000.jsonl`);
    const { metadata } = await record.getProperties();
    const text = (await record.downloadToBuffer()).toString().replace('"path":"b/two"', '"path":"');
    await record.upload(text, Buffer.byteLength(text), { metadata });
    const to = temporary();
    await write(to, { "b/two": "mine", "b/three": "mine" });
    for (const dryRun of [true, false]) {
      const { tally, deleted } = await drive.restore({ run, to, delete: true, dryRun });
      expect(tally.stopped).toMatch(/^Nothing was .*"delete" .* line 3 /);
      expect(deleted).toBe(0);
    }
    expect([...(await snapshotOf(to)).keys()]).toEqual(["b/three", "b/two"]);
  });

  test("does not follow a link out of the directory", async () => {
    const root = temporary();
    await write(root, { "a/b": "b" });
    const { run } = await drive.backup({ root, prefix: prefix() });
    const [to, outside] = [temporary(), temporary()];
    await write(outside, { precious: "p", b: "mine" });
    await symlink(outside, path.join(to, "a"));
    await symlink(outside, path.join(to, "extra"));
    const { tally } = await drive.restore({ run, to, delete: true });
    expect(tally.counts.failed).toBe(0);
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
    expect([...(await snapshotOf(outside)).keys()]).toEqual(["b", "precious"]);
    expect(await readFile(path.join(outside, "b"), "utf8")).toBe("mine");
  });
});
