/** Files that change between listing and copying, or while they are copied. */
import { appendFile, mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { beginAttempt, commitAttempt } from "../../src/backup/large-file/begin-and-commit.ts";
import { compareNext, type Compared } from "../../src/backup/large-file/compare.ts";
import { copyRange } from "../../src/backup/large-file/copy-range.ts";
import { hashSpan, type HashedSpan, type Span } from "../../src/backup/large-file/hash-span.ts";
import type { AttemptRef } from "../../src/backup/large-file/plan.ts";
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

  it("a large file, copied by ranges: any piece of the work notices, and a new attempt has the new content", async () => {
    const { service, settings, budget } = domain;
    const size = 18 * 1024 * 1024;
    const listing = await list({ "huge.bin": bytes(size, "old") });
    expect(listing.large).toHaveLength(1);
    const first = { ...largeOf(listing), attempt: 1 };
    const begun = await beginAttempt(first, service, settings);
    expect(begun).toMatchObject({ size, ranges: 1 });
    expect(await copyRange({ ...first, range: 0 }, service, settings, budget)).toBe("done");
    const hashed = await hashSpan({ ...first, from: 0, to: size }, service, settings, budget);
    if (hashed === "changed") throw new Error("not changed yet");

    await writeFile(path.join(root, "huge.bin"), bytes(size, "new"));
    expect(await copyRange({ ...first, range: 0 }, service, settings, budget)).toBe("changed");
    expect(await hashSpan({ ...first, from: 0, to: size }, service, settings, budget)).toBe("changed");
    expect(await commitAttempt({ ...first, ...hashed }, service, settings)).toBe("changed");
    expect((await readBlobs(containerOf(listing))).size).toBe(0);

    const second = { ...first, attempt: 2 };
    await beginAttempt(second, service, settings);
    await copyRange({ ...second, range: 0 }, service, settings, budget);
    const again = await hashSpan({ ...second, from: 0, to: size }, service, settings, budget);
    if (again === "changed") throw new Error("it did not change");
    const settled = { settled: { counts: { copied: 1, bytes: size }, failures: [] } };
    expect(await commitAttempt({ ...second, ...again }, service, settings)).toMatchObject(settled);
    // A second delivery of the commit gives the same, and so does the beginning of yet another attempt.
    expect(await commitAttempt({ ...second, ...again }, service, settings)).toMatchObject(settled);
    expect(await beginAttempt({ ...first, attempt: 3 }, service, settings)).toMatchObject(settled);
    expectSameTree(await readBlobs(containerOf(listing)), await readTree(root), run);
    expect(bytesOf(await readTree(root))).toBe(size);
  });
});

describe("a large file that is compared with its blob", () => {
  const SIZE = 18 * 1024 * 1024;
  const again = async (spec: TreeSpec): Promise<AttemptRef> => {
    const { service, settings } = domain;
    const { request } = await list(spec);
    await new Drive(service, settings).backup(request, run);
    run = newRun();
    const incremental = { ...request, mode: "incremental", checksum: true } as const;
    return { ...largeOf(await listAs(incremental)), attempt: 1 };
  };

  it("is compared piece by piece, each in an activity that goes on where the last one stopped", async () => {
    const { service, settings, budget } = domain;
    const ref = await again({ "huge.bin": bytes(SIZE) });
    expect(await beginAttempt(ref, service, settings)).toMatchObject({ compare: true });
    const hasty = { ...settings, listMs: 0 };
    const positions: number[] = [];
    let compared: Compared = { comparing: { position: 0 } };
    while (compared !== "changed" && "comparing" in compared) {
      positions.push(compared.comparing.position);
      compared = await compareNext({ ...ref, ...compared.comparing }, service, hasty, budget);
    }
    expect(positions).toEqual([0, BLOCK, 2 * BLOCK]);
    const settled = { settled: { counts: { copied: 0, unchanged: 1, bytes: 0, unchangedBytes: SIZE } } };
    expect(compared).toMatchObject(settled);
    // Delivered again it gives the same, and so does the beginning of another attempt.
    expect(await compareNext({ ...ref, position: 0 }, service, settings, budget)).toMatchObject(settled);
    expect(await beginAttempt({ ...ref, attempt: 2 }, service, settings)).toMatchObject(settled);
  });

  it("and changes meanwhile is begun anew; one that was emptied is copied as it is now", async () => {
    const { service, settings, budget } = domain;
    const ref = await again({ "huge.bin": bytes(SIZE) });
    await beginAttempt(ref, service, settings);
    await writeFile(path.join(root, "huge.bin"), bytes(SIZE, "new"));
    expect(await compareNext({ ...ref, position: 0 }, service, settings, budget)).toBe("changed");
    await writeFile(path.join(root, "huge.bin"), "");
    await utimes(path.join(root, "huge.bin"), 1e9, 1e9);
    const second = { ...ref, attempt: 2 };
    expect(await beginAttempt(second, service, settings)).toEqual({ size: 0, range: BLOCK * 16, ranges: 0 });
    const hashed = await hashSpan({ ...second, from: 0, to: 0 }, service, settings, budget);
    if (hashed === "changed") throw new Error("it did not change");
    expect(await commitAttempt({ ...second, ...hashed }, service, settings)).toMatchObject({
      settled: { counts: { copied: 1, failed: 0, bytes: 0 } },
    });
  });

  it("is hashed piece by piece, too, when it is copied", async () => {
    const { service, settings, budget } = domain;
    const ref = { ...largeOf(await list({ "huge.bin": bytes(SIZE) })), attempt: 1 };
    await beginAttempt(ref, service, settings);
    const hasty = { ...settings, listMs: 0 };
    const whole = await hashSpan({ ...ref, from: 0, to: SIZE }, service, settings, budget);
    const states: string[] = [];
    let span: Span | undefined = { ...ref, from: 0, to: SIZE };
    while (span) {
      const hashed: HashedSpan = await hashSpan(span, service, hasty, budget);
      if (hashed === "changed") throw new Error("it did not change");
      states.push(hashed.state);
      span =
        hashed.reached === undefined ? undefined : { ...span, from: hashed.reached, state: hashed.state };
    }
    expect(states).toHaveLength(3);
    expect(whole).toEqual({ state: states.at(-1) });
  });
});
