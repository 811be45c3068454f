/** Files with times and sizes that few have, over HTTP: each is backed up, found unchanged, and restored, or costs itself. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { mkdtemp } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { directory, link, makeTree } from "../harness/tree.ts";
import { temporary } from "./tree.ts";

/** A file system in memory, which holds any time and size. */
const ROOMY = "/dev/shm";

/** Seconds since 1970, as text that utimes takes. */
const TIMES: Record<string, string> = {
  plain: "1700000000.123456",
  "a share's zero": "-11644473600",
  "before 1970": "-1.234567",
  "in 2300": "10413792000.123456",
  "in 12000": "316516204800",
  "beyond dates": "9000000000000",
  link: "-11644473600",
  empty: "10413792000",
  "dir/file": "1700000000",
  dir: "-11644473600",
};

let host: LocalHostProcess;
let service: BlobServiceClient;

beforeAll(async () => {
  host = await startLocalHost({ env: { BACKUP_LARGE_FILE_MIB: "64" } });
  service = BlobServiceClient.fromConnectionString(host.connectionString);
});
afterAll(() => host?.stop());

async function roomy(): Promise<string> {
  const made = await mkdtemp(path.join(ROOMY, "times-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const run = async (orchestrator: string, body: unknown) =>
  await followRun((await postRun(host.url, orchestrator, body)).location);
/** @returns the run's id */
async function backUp(body: unknown): Promise<string> {
  const { id, location } = await postRun(host.url, "backupSiteContent", body);
  await followRun(location);
  return id;
}
const countsOf = (status: { customStatus?: unknown }) =>
  (status.customStatus as { counts: Record<string, number> }).counts;
const timesIn = (root: string) =>
  Object.fromEntries(Object.keys(TIMES).map((name) => [name, lstatSync(path.join(root, name)).mtimeMs]));

describe.runIf(existsSync(ROOMY))("what few files have", () => {
  it("times of any year are kept, found unchanged, and restored as far as the file system holds them", async () => {
    const root = await makeTree(await roomy(), {
      plain: "1",
      "a share's zero": "2",
      "before 1970": "3",
      "in 2300": "4",
      "in 12000": "5",
      "beyond dates": "6",
      link: link("plain"),
      empty: directory(),
      "dir/file": "7",
    });
    for (const [name, time] of Object.entries(TIMES)) {
      if (name === "link") lutimesSync(path.join(root, name), time, time);
      else utimesSync(path.join(root, name), time, time);
    }
    const times = timesIn(root);
    const request = { root, container: "times", mode: "incremental" };
    const first = await run("backupSiteContent", request);
    expect(first).toMatchObject({ runtimeStatus: "Completed", output: 7 });
    expect(countsOf(first)).toMatchObject({ copied: 8, failed: 0, directories: 1 });
    for (const checksum of [false, true]) {
      const again = await run("backupSiteContent", { ...request, checksum });
      expect(again).toMatchObject({ runtimeStatus: "Completed", output: 0 });
      expect(countsOf(again)).toMatchObject({ copied: 0, unchanged: 8, failed: 0 });
    }
    const blobs = await readBlobs(service.getContainerClient("times"));
    const metadata = [...blobs].map(([name, { item }]) => [name, item.metadata?.["mtime"]]);
    expect(Object.fromEntries(metadata)).toMatchObject({
      "a share's zero": "1601-01-01T00:00:00.000000Z",
      "before 1970": "1969-12-31T23:59:58.765433Z",
      "in 2300": "2300-01-01T00:00:00.123456Z",
      "in 12000": "+012000-01-01T00:00:00.000000Z",
      "beyond dates": "+275760-09-13T00:00:00.000000Z",
    });

    const { files } = (await (await fetch(`${host.url}/backups/${first.instanceId}/files`)).json()) as {
      files: { path: string; mtime: number }[];
    };
    expect(files).toContainEqual(
      expect.objectContaining({ path: "a share's zero", mtime: -11_644_473_600_000_000 }),
    );

    const to = await roomy();
    const restored = await run("restoreSiteContent", { run: first.instanceId, to });
    expect(restored).toMatchObject({ runtimeStatus: "Completed", output: 7 });
    const farthest = Math.min(times["beyond dates"]!, 8.64e15);
    expect(timesIn(to)).toEqual({ ...times, "beyond dates": farthest });
    const twice = await run("restoreSiteContent", { run: first.instanceId, to });
    expect(twice).toMatchObject({ runtimeStatus: "Completed", output: 0 });
    expect(countsOf(twice)).toMatchObject({ copied: 0, unchanged: 8 });

    // Usually a disk, which holds 1901 to 2446 at most.
    const narrow = temporary();
    const cut = await run("restoreSiteContent", { run: first.instanceId, to: narrow });
    expect(cut).toMatchObject({ runtimeStatus: "Completed", output: 7 });
    expect(countsOf(cut)).toMatchObject({ copied: 8, failed: 0 });
    const held = timesIn(narrow);
    const outcomes = outcomesByPath(await readLedger(service, cut.instanceId));
    for (const name of Object.keys(TIMES)) {
      const isHeld = held[name] === times[name] || held[name] === farthest;
      const reason = outcomes.get(name)?.reason;
      expect(reason === undefined, name).toBe(isHeld);
      expect(reason ?? "modification time", name).toMatch(/modification time/);
    }
  });

  it("a sparse file that is larger than any blob costs itself only", async () => {
    const root = await makeTree(await roomy(), { "huge.sparse": "", plain: "plain", "dir/plain": "plain" });
    // More than Node's own truncate takes.
    execFileSync("truncate", ["--size", String(2n ** 62n), path.join(root, "huge.sparse")]);
    const status = await run("backupSiteContent", { root, container: "sparse" });
    const blobs = await readBlobs(service.getContainerClient("sparse"));
    expect([...blobs.keys()]).toEqual(["dir/plain", "plain"]);
    expect(status).toMatchObject({ runtimeStatus: "Failed" });
    expect(status.output).toMatch(/1 of 3 files .*huge\.sparse: .*\b\d+ bytes/s);
  });
});

it("leaves as it is what was restored to a file system of whole seconds", async ({ skip }) => {
  const to = wholeSeconds();
  if (to === undefined) return skip("this user may not mount a file system");
  const root = await makeTree(temporary(), { a: "a", b: "b" });
  utimesSync(path.join(root, "a"), 1_767_323_045.678, 1_767_323_045.678);
  utimesSync(path.join(root, "b"), 1_767_323_044.321, 1_767_323_044.321);
  const runId = await backUp({ root, container: "whole-seconds" });
  const restore = () => run("restoreSiteContent", { run: runId, to: path.join(to, "restored") });
  expect(countsOf(await restore())).toMatchObject({ copied: 2 });
  expect(countsOf(await restore())).toMatchObject({ copied: 0, unchanged: 2 });
});

/** An ext4 of small inodes, which has no room for fractions of a second; undefined where this user may not mount one. */
function wholeSeconds(): string | undefined {
  const folder = temporary();
  const [disk, at] = [path.join(folder, "disk"), path.join(folder, "mnt")];
  try {
    execFileSync("truncate", ["--size", "16M", disk]);
    execFileSync("mkfs.ext4", ["-q", "-I", "128", disk], { stdio: "ignore" });
    mkdirSync(at);
    execFileSync("mount", ["-o", "loop", disk, at], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("umount", [at]));
  return at;
}

it.each([
  ["a small file", 20],
  // Two spans.
  ["a large file", 140],
])("holes of %s come back as holes", async (_what, mebibytes) => {
  const root = temporary();
  const file = path.join(root, "disk.img");
  execFileSync("truncate", ["--size", `${mebibytes}M`, file]);
  const handle = openSync(file, "r+");
  writeSync(handle, "in the middle", 5 * 2 ** 20 + 17);
  closeSync(handle);
  const to = path.join(temporary(), "restored");
  const runId = await backUp({ root, container: `holes-${mebibytes}` });
  expect(countsOf(await run("restoreSiteContent", { run: runId, to }))).toMatchObject({ copied: 1 });
  execFileSync("cmp", [file, path.join(to, "disk.img")]);
  expect(lstatSync(path.join(to, "disk.img")).blocks * 512).toBeLessThan(mebibytes * 2 ** 20 * 0.05);
});
