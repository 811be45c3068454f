/** Activities run at least once. Whatever is delivered twice, also at the same time, ends as if done once. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import type { BackupRequest } from "../../src/backup/request.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { failBatch } from "../../src/ledger/settle-batch.ts";
import { Ledger, linesAt, toLines } from "../../src/ledger/ledger.ts";
import { readListing, type Listing } from "../../src/ledger/listing.ts";
import { expectSameTree, outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { handOutListing, newRun, requestFor, startDomain, type Domain } from "../harness/domain.ts";
import { isWrite } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree, manyFiles, readTree } from "../harness/tree.ts";

let domain: Domain;
let folder: string;
let root: string;
/** The listing that was made last, and what of it is handed out. */
let listed: Awaited<ReturnType<typeof listFiles>>;
let batches: ReturnType<typeof handOutListing>["batches"];
let run: string;

beforeAll(async () => {
  domain = await startDomain();
  folder = await makeFolder("twice");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  run = newRun();
  root = path.join(folder, run);
  domain.proxy.before = () => undefined;
});

async function list(): Promise<Listing> {
  await makeTree(root, manyFiles(400));
  const request = requestFor(root);
  const input = { run, part: "0", request };
  listed = await listFiles(input, domain.service, domain.settings);
  ({ batches } = handOutListing(input, listed));
  return (await readListing(new Ledger(domain.service, run), "0"))!;
}

const copy = (batch: number) => copyBatch(batches[batch]!, domain.service, domain.settings, domain.budget);
const containerOf = (listing: Listing) => domain.service.getContainerClient(listing.request.container);
const writesTo = (container: string) =>
  domain.proxy.requests.filter((request) => isWrite(request) && request.container === container);

describe("copyFileToBlob", () => {
  it("after it was recorded: the same tally, nothing is sent again", async () => {
    const listing = await list();
    const first = await copy(0);
    expect(first.counts.copied).toBe(listing.batches[0]?.files);
    const sent = writesTo(listing.request.container).length;
    await makeTree(
      root,
      Object.fromEntries([...(await readTree(root)).keys()].map((name) => [name, "other"])),
    );
    expect(await copy(0)).toEqual(first);
    expect(writesTo(listing.request.container)).toHaveLength(sent);
  });

  it("at the same time: one record, the same tally for all, each blob whole", async () => {
    const listing = await list();
    const tallies = await Promise.all([0, 1, 2].flatMap((batch) => [copy(batch), copy(batch), copy(batch)]));
    for (const batch of [0, 1, 2]) {
      const of = tallies.slice(batch * 3, batch * 3 + 3);
      expect(of[1]).toEqual(of[0]);
      expect(of[2]).toEqual(of[0]);
      expect(of[0]?.counts).toMatchObject({ copied: listing.batches[batch]?.files, failed: 0 });
    }
    const ledger = await readLedger(domain.service, run);
    expect(ledger.names.filter((name) => name.startsWith("outcomes/0-0"))).toHaveLength(3);
    const recorded = new Set(outcomesByPath(ledger).keys());
    const tree = new Map([...(await readTree(root))].filter(([name]) => recorded.has(name)));
    expectSameTree(await readBlobs(containerOf(listing)), tree, run);
  });

  it("while the file changes in between: what the ledger says of a blob is what the blob holds", async () => {
    const listing = await list();
    const name = "d000/f00001.txt";
    const batch = 0;
    // The first delivery has written its blobs, and is stopped before it can record that; then the file changes.
    let stalled = () => {};
    const atRecord = new Promise<void>((resolve) => (stalled = resolve));
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let once = false;
    domain.proxy.before = async (request) => {
      if (once || !isWrite(request) || !request.blob.startsWith(`${run}/outcomes/`)) return;
      once = true;
      stalled();
      await held;
    };
    const first = copy(batch);
    await atRecord;
    await writeFile(path.join(root, name), "changed after the first delivery had copied it");
    const second = await copy(batch);
    release();
    expect(await first).toEqual(second);
    const outcome = outcomesByPath(await readLedger(domain.service, run)).get(name);
    const blob = (await readBlobs(containerOf(listing))).get(name);
    expect(outcome).toMatchObject({
      outcome: "copied",
      size: blob?.content.length,
      md5: Buffer.from(blob?.item.properties.contentMD5 ?? []).toString("base64"),
    });
  });

  it("after its root went away: what was copied before stands, and why it stopped is said again", async () => {
    const listing = await list();
    let writes = 0;
    domain.proxy.before = async (request) => {
      if (request.container !== listing.request.container || !isWrite(request) || ++writes !== 10) return;
      await rm(root, { recursive: true });
    };
    const first = await copy(0);
    expect(first.stopped).toMatch(/disappeared/);
    await makeTree(root, manyFiles(400));
    expect(await copy(0)).toEqual(first);
    const outcomes = outcomesByPath(await readLedger(domain.service, run));
    expect([...outcomes.values()].filter(({ outcome }) => outcome !== "copied")).toEqual([]);
    expect(outcomes.size).toBeLessThan(listing.batches[0]!.files);
    expect([...outcomes.keys()].sort()).toEqual([...(await readBlobs(containerOf(listing))).keys()].sort());
  });

  it("after it was given up: the record stands, whichever it is", async () => {
    await list();
    const copied = await copy(0);
    expect(await failBatch({ ...batches[0]!, reason: "storage was gone" }, domain.service)).toEqual(copied);
    const failed = await failBatch({ ...batches[1]!, reason: "storage was gone" }, domain.service);
    expect(failed.counts.copied).toBe(0);
    expect(failed.counts.failed).toBeGreaterThan(0);
    expect(await copy(1)).toEqual(failed);
  });
});

describe("getFileList", () => {
  it("at the same time: one listing stands, and all deliveries give it", async () => {
    await makeTree(root, manyFiles(100));
    const input = { run, part: "0", request: requestFor(root) };
    const listings = await Promise.all(
      Array.from({ length: 4 }, () => listFiles(input, domain.service, domain.settings)),
    );
    for (const listing of listings) expect(listing).toEqual(listings[0]);
    expect(listings[0]?.files).toBe(100);
    const later = await listFiles(input, domain.service, domain.settings);
    expect(later).toEqual(listings[0]);
  });

  it("after files were added: the first listing stands", async () => {
    const listing = await list();
    await writeFile(path.join(root, "added"), "later");
    const input = { run, part: "0", request: listing.request as BackupRequest };
    expect(await listFiles(input, domain.service, domain.settings)).toEqual(listed);
  });

  it("after its root went away: says so at once, and again", async () => {
    const { request } = await list();
    const text = toLines([{ file: "d000/f00001.txt" }]);
    await new Ledger(domain.service, run).writeOnce("lists/left.jsonl", text);
    const left = { own: listed.own, lines: linesAt("lists/left.jsonl", 0, text) };
    const input = { run, part: "0.0", request: request as BackupRequest, left };
    await rm(root, { recursive: true });
    const { problem } = await listFiles(input, domain.service, domain.settings);
    expect(problem).toMatch(/disappeared/);
    await makeTree(root, manyFiles(400));
    expect((await listFiles(input, domain.service, domain.settings)).problem).toBe(problem);
  });
});
