/** Files that change between listing and copying, or while they are copied. */
import { appendFile, mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { copyLargeFile, type LargeFileRef, type Sending } from "../../src/backup/large-file.ts";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import type { BackupRequest } from "../../src/backup/request.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { sum, type Tally } from "../../src/model/outcome.ts";
import { expectSameTree, outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { handOutListing, newRun, requestFor, startDomain, type Domain } from "../harness/domain.ts";
import { Drive } from "../harness/drive.ts";
import { bytes, bytesOf, makeFolder, makeTree, readTree, type TreeSpec } from "../harness/tree.ts";

/** From this size on a file is sent by blocks. */
const BLOCK = 8 * 1024 * 1024;
/** Three blocks. */
const BIG = 2 * BLOCK + 1;

let domain: Domain;
let folder: string;
let root: string;
let run: string;

beforeAll(async () => {
  domain = await startDomain({ BACKUP_LARGE_FILE_MIB: "17" });
  folder = await makeFolder("changing");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  run = newRun();
  root = path.join(folder, run);
  await mkdir(root);
  domain.proxy.before = () => undefined;
});

async function list(spec: TreeSpec): Promise<Listing> {
  await makeTree(root, spec);
  // A file that is as old as the clock's tick is given time by the app; here it would only cost time.
  for (const name of Object.keys(spec)) await utimes(path.join(root, name), 1e9, 1e9);
  return await listAs(requestFor(root));
}

async function listAs(request: BackupRequest) {
  const listing = await listFiles({ run, part: "0", request }, domain.service, domain.settings);
  return { ...listing, request };
}

type Listing = Awaited<ReturnType<typeof listAs>>;

async function copyAll(listing: Listing): Promise<Tally> {
  const { service, settings, budget } = domain;
  const { batches } = handOutListing({ run, part: "0", request: listing.request }, listing);
  return sum(await Promise.all(batches.map((batch) => copyBatch(batch, service, settings, budget))));
}

/** The large file of a listing. */
const largeOf = (listing: Listing) =>
  handOutListing({ run, part: "0", request: listing.request }, listing).lanes[0]!;
/** One activity at it; without time it does one block. */
const span = async (ref: LargeFileRef, progress?: Sending, listMs = domain.settings.listMs) =>
  await copyLargeFile(
    { ...ref, ...(progress ? { progress } : {}) },
    domain.service,
    { ...domain.settings, listMs },
    domain.budget,
  );
/** How far it is after an activity. */
const after = async (...given: Parameters<typeof span>): Promise<Sending> => {
  const step = await span(...given);
  if (step === "none" || "settled" in step) throw new Error("it is settled already");
  return step.progress;
};
const containerOf = (listing: Listing) => domain.service.getContainerClient(listing.request.container);
const outcomeOf = async (name: string) => outcomesByPath(await readLedger(domain.service, run)).get(name);

describe("between listing and copying", () => {
  it("a deleted file has vanished, which is no error", async () => {
    const listing = await list({ a: "a", gone: "gone", z: "z" });
    await rm(path.join(root, "gone"));
    const { counts, failures } = await copyAll(listing);
    expect(counts).toMatchObject({ copied: 2, vanished: 1, failed: 0, bytes: 2 });
    expect(failures).toEqual([]);
    expect(await outcomeOf("gone")).toMatchObject({ outcome: "vanished", size: 0 });
    expect([...(await readBlobs(containerOf(listing))).keys()]).toEqual(["a", "z"]);
  });

  it("a file that grew is copied as it is now, and counted so", async () => {
    const listing = await list({ log: "one" });
    await writeFile(path.join(root, "log"), "one two three");
    expect((await copyAll(listing)).counts).toMatchObject({ copied: 1, bytes: 13 });
    expectSameTree(await readBlobs(containerOf(listing)), await readTree(root), run);
  });

  it("a file replaced by a link is not followed", async () => {
    const secret = path.join(folder, `${run}-secret`);
    await writeFile(secret, "secret");
    const listing = await list({ a: "a", b: "b" });
    await rm(path.join(root, "a"));
    await symlink(secret, path.join(root, "a"));
    expect((await copyAll(listing)).counts).toMatchObject({ copied: 1, skipped: 1, failed: 0 });
    expect(await outcomeOf("a")).toMatchObject({ outcome: "skipped", reason: "now a symbolic link" });
    expect([...(await readBlobs(containerOf(listing))).keys()]).toEqual(["b"]);
  });

  it("a directory on the way replaced by a link does not lead outside", async () => {
    const outside = await makeTree(path.join(folder, `${run}-outside`), { file: "secret" });
    const listing = await list({ "dir/file": "mine" });
    await rename(path.join(root, "dir"), path.join(root, "was"));
    await symlink(outside, path.join(root, "dir"));
    expect((await copyAll(listing)).counts).toMatchObject({ copied: 0, skipped: 1, bytes: 0 });
    expect((await outcomeOf("dir/file"))?.reason).toMatch(/outside the root/);
    expect((await readBlobs(containerOf(listing))).size).toBe(0);
  });
});

describe("while a file is copied", () => {
  it("one that grows without end fails as changed while reading; the others are copied, no blob is left", async () => {
    const listing = await list({ "growing.log": bytes(BLOCK + 1), still: "still" });
    domain.proxy.before = async ({ comp }) => {
      if (comp === "block") await appendFile(path.join(root, "growing.log"), "one more line\n");
    };
    const { counts, failures } = await copyAll(listing);
    expect(counts).toMatchObject({ copied: 1, failed: 1, bytes: 5 });
    expect(failures).toEqual(["growing.log: changed while reading, 3 times"]);
    expect([...(await readBlobs(containerOf(listing))).keys()]).toEqual(["still"]);
  });

  it("one rewritten between two of its blocks is read again: the blob is the new content, whole", async () => {
    const listing = await list({ "big.bin": bytes(BIG, "old") });
    let blocks = 0;
    domain.proxy.before = async ({ comp }) => {
      if (comp === "block" && ++blocks === 2) {
        await writeFile(path.join(root, "big.bin"), bytes(BIG, "new"));
      }
    };
    expect((await copyAll(listing)).counts).toMatchObject({ copied: 1, failed: 0, bytes: BIG });
    const blobs = await readBlobs(containerOf(listing));
    expect(blobs.get("big.bin")?.content.equals(bytes(BIG, "new"))).toBe(true);
    expectSameTree(blobs, await readTree(root), run);
    // The blocks of both reads were sent.
    expect(blocks).toBeGreaterThan(3);
  });

  it("one rewritten in the middle of each read fails, and no blob holds a mixture", async () => {
    const listing = await list({ "big.bin": bytes(BIG, "0") });
    let blocks = 0;
    domain.proxy.before = async ({ comp }) => {
      if (comp === "block") await writeFile(path.join(root, "big.bin"), bytes(BIG, String(++blocks)));
    };
    const { counts, failures } = await copyAll(listing);
    expect(counts).toMatchObject({ copied: 0, failed: 1, bytes: 0 });
    expect(failures).toEqual(["big.bin: changed while reading, 3 times"]);
    expect((await readBlobs(containerOf(listing))).size).toBe(0);
  });

  it("one that shrinks while it is read is read again", async () => {
    const listing = await list({ "big.bin": bytes(BIG) });
    let blocks = 0;
    domain.proxy.before = async ({ comp }) => {
      if (comp === "block" && ++blocks === 1) await writeFile(path.join(root, "big.bin"), "short");
    };
    const tally = await copyAll(listing);
    expect(tally.counts).toMatchObject({ copied: 1, bytes: 5 });
    expectSameTree(await readBlobs(containerOf(listing)), await readTree(root), run);
  });

  it("a large file: each span notices, and a new attempt has the new content", async () => {
    const size = 18 * 1024 * 1024;
    const listing = await list({ "huge.bin": bytes(size, "old") });
    expect(listing.large).toHaveLength(1);
    const ref = largeOf(listing);
    const first = await after(ref, undefined, 0);
    expect(first).toMatchObject({ attempt: 1, position: BLOCK });
    const last = await after(ref, first, 0);
    expect(last).toMatchObject({ attempt: 1, position: 2 * BLOCK });

    await writeFile(path.join(root, "huge.bin"), bytes(size, "new"));
    for (const before of [first, last]) expect(await after(ref, before)).toEqual({ attempt: 2, position: 0 });
    expect((await readBlobs(containerOf(listing))).size).toBe(0);

    const second = await after(ref, { attempt: 2, position: 0 }, 0);
    // Delivered again, it sends nothing again.
    const blocks: string[] = [];
    domain.proxy.before = ({ comp }) => void (comp === "block" && blocks.push(comp));
    expect(await after(ref, { attempt: 2, position: 0 }, 0)).toEqual(second);
    expect(blocks).toEqual([]);
    const settled = { settled: { counts: { copied: 1, bytes: size }, failures: [] } };
    expect(await span(ref, second)).toMatchObject(settled);
    // A second delivery of the end gives the same, and so does the beginning of yet another attempt.
    expect(await span(ref, second)).toMatchObject(settled);
    expect(await span(ref, { attempt: 3, position: 0 })).toMatchObject(settled);
    expectSameTree(await readBlobs(containerOf(listing)), await readTree(root), run);
    expect(bytesOf(await readTree(root))).toBe(size);
  });
});

describe("a large file that is compared with its blob", () => {
  const SIZE = 18 * 1024 * 1024;
  const again = async (spec: TreeSpec): Promise<LargeFileRef> => {
    const { service, settings } = domain;
    const { request } = await list(spec);
    await new Drive(service, settings).backup(request, run);
    run = newRun();
    const incremental = { ...request, mode: "incremental", checksum: true } as const;
    return largeOf(await listAs(incremental));
  };

  it("is compared piece by piece, each in an activity that continues where the last one stopped", async () => {
    const ref = await again({ "huge.bin": bytes(SIZE) });
    const first = await after(ref, undefined, 0);
    expect(first).toMatchObject({ position: BLOCK, comparing: true });
    const second = await after(ref, first, 0);
    expect(second).toMatchObject({ position: 2 * BLOCK, comparing: true });
    const settled = { settled: { counts: { copied: 0, unchanged: 1, bytes: 0, unchangedBytes: SIZE } } };
    expect(await span(ref, second, 0)).toMatchObject(settled);
    // Delivered again it gives the same, and so does the beginning of another attempt.
    expect(await span(ref, second, 0)).toMatchObject(settled);
    expect(await span(ref, { attempt: 2, position: 0 })).toMatchObject(settled);
  });

  it("and changes meanwhile is begun anew; one that was emptied is copied as it is now", async () => {
    const ref = await again({ "huge.bin": bytes(SIZE) });
    const first = await after(ref, undefined, 0);
    await writeFile(path.join(root, "huge.bin"), bytes(SIZE, "new"));
    const second = await after(ref, first);
    expect(second).toEqual({ attempt: 2, position: 0 });
    await writeFile(path.join(root, "huge.bin"), "");
    await utimes(path.join(root, "huge.bin"), 1e9, 1e9);
    expect(await span(ref, second)).toMatchObject({
      settled: { counts: { copied: 1, failed: 0, bytes: 0 } },
    });
  });

  it("and differs is then sent from its start", async () => {
    const ref = await again({ "huge.bin": bytes(SIZE) });
    await writeFile(path.join(root, "huge.bin"), bytes(SIZE, "new"));
    await utimes(path.join(root, "huge.bin"), 1e9, 1e9);
    const differs = await after(ref);
    expect(differs).toMatchObject({ attempt: 1, position: 0 });
    expect(await span(ref, differs)).toMatchObject({ settled: { counts: { copied: 1, bytes: SIZE } } });
  });
});
