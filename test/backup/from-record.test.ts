/** Incremental backups that compare with the record of the last run in place of the destination. */
import { randomUUID } from "node:crypto";
import { rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Ledger } from "../../src/ledger/ledger.ts";
import { readRun } from "../../src/ledger/run-record.ts";
import { startDomain, type Domain } from "../harness/domain.ts";
import { Drive } from "../harness/drive.ts";
import { isWrite } from "../harness/storage-proxy.ts";
import { link, makeFolder, manyFiles } from "../harness/tree.ts";
import { amend, comparedWith, newTree, RECORD } from "./last-run.ts";

let domain: Domain;
let drive: Drive;
let folder: string;

beforeAll(async () => {
  domain = await startDomain();
  drive = new Drive(domain.service);
  folder = await makeFolder("from-record");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The requests that some work makes. */
async function requestsOf(work: () => Promise<unknown>) {
  const before = domain.proxy.requests.length;
  await work();
  return domain.proxy.requests.slice(before);
}

describe("the requests of a run", () => {
  it("about an unchanged tree read few records of the last run, and list nothing", async () => {
    const { root, container } = await newTree(folder, manyFiles(120, 10));
    const inParts = new Drive(domain.service, { listFiles: 30 });
    const request = { root, container, ...RECORD };
    const base = await inParts.backup(request);
    let again = "";
    const requests = await requestsOf(async () => {
      const { run, tally } = await inParts.backup(request);
      again = run;
      expect(tally.counts).toMatchObject({ unchanged: 120, copied: 0 });
    });
    expect(await comparedWith(domain.service, again)).toEqual({ run: base.run });
    // Is there anything.
    expect(requests.filter((each) => each.container === container)).toHaveLength(1);
    const parts = requests.filter(
      ({ blob, method }) => method === "PUT" && /\/lists\/[\d.]+\.json$/.test(blob),
    );
    expect(parts.length).toBeGreaterThan(4);
    const reads = requests.filter(({ blob }) => blob.startsWith(`${base.run}/outcomes/`));
    expect(reads.length).toBeLessThan(3 * parts.length);
  });

  it("about a changed file write its blob over the recorded ETag, without a look at it", async () => {
    const { root, container } = await newTree(folder, { a: "one", b: "two" });
    await drive.backup({ root, container });
    await writeFile(path.join(root, "a"), "three");
    for (const content of ["four", "fifth"]) {
      const requests = await requestsOf(async () => {
        expect((await drive.backup({ root, container, ...RECORD })).tally.counts).toMatchObject({
          copied: 1,
          unchanged: 1,
        });
      });
      const about = requests.filter(({ blob, ...each }) => each.container === container && blob !== "");
      expect(about.map(({ method, comp }) => [method, comp])).toEqual([
        ["PUT", "snapshot"],
        ["PUT", ""],
      ]);
      await writeFile(path.join(root, "a"), content);
    }
  });
});

describe("what strangers do to the blobs", () => {
  it("is kept and overwritten where the file has changed", async () => {
    const { root, container } = await newTree(folder, { a: "one" });
    const { run } = await drive.backup({ root, container });
    const blob = domain.service.getContainerClient(container).getBlockBlobClient("a");
    await blob.upload("foreign", 7);
    await writeFile(path.join(root, "a"), "three");
    const again = await drive.backup({ root, container, ...RECORD });
    expect(await comparedWith(domain.service, again.run)).toEqual({ run });
    expect(again.tally.counts).toMatchObject({ copied: 1, failed: 0 });
    const kept: string[] = [];
    const client = domain.service.getContainerClient(container);
    for await (const { name, snapshot } of client.listBlobsFlat({ includeSnapshots: true })) {
      const at = snapshot ? client.getBlobClient(name).withSnapshot(snapshot) : client.getBlobClient(name);
      kept.push((await at.downloadToBuffer()).toString());
    }
    expect(kept.toSorted()).toEqual(["foreign", "three"]);
  });

  it("is not seen where the file has not changed: a verification finds it, and a run that lists heals it", async () => {
    const { root, container } = await newTree(folder, { a: "one", b: "two" });
    await drive.backup({ root, container });
    await domain.service.getContainerClient(container).deleteBlob("a");
    const again = await drive.backup({ root, container, ...RECORD });
    expect(again.tally.counts).toMatchObject({ unchanged: 2 });
    expect((await drive.verify({ run: again.run })).tally.failures).toEqual([
      expect.stringMatching(/^a: .*missing/),
    ]);
    const healed = await drive.backup({ root, container, mode: "incremental" });
    expect(healed.tally.counts).toMatchObject({ copied: 1, unchanged: 1 });
  });

  it("is seen where nothing is left of them", async () => {
    const { root, container } = await newTree(folder, { a: "one" });
    await drive.backup({ root, container });
    await domain.service.getContainerClient(container).deleteBlob("a");
    const again = await drive.backup({ root, container, ...RECORD });
    expect(again.tally.counts).toMatchObject({ copied: 1 });
    expect(await comparedWith(domain.service, again.run)).toEqual({
      destination: true,
      because: "it is empty",
    });
  });
});

it("is not listed after runs that wrote nothing, a prune, and a run in which some files failed", async () => {
  const at = await newTree(folder, { a: "one", b: "two" });
  await drive.backup(at);
  await drive.backup({ ...at, ...RECORD });
  const { run } = await drive.backup({ ...at, ...RECORD });
  const { counts } = (await readRun(new Ledger(domain.service, run)))!;
  await amend(domain.service, run, { status: "failed", counts: { ...counts!, failed: 1 } });
  await drive.restore({ run, to: path.join(folder, randomUUID()) });
  const pruned = await drive.prune({ container: at.container, keepLast: 1 });
  expect(pruned.forgotten).toHaveLength(1);
  const again = await drive.backup({ ...at, ...RECORD });
  expect(await comparedWith(domain.service, again.run)).toEqual({ run });
});

it("a part that finds a record of the last run damaged lists the destination, and the record says so", async () => {
  const at = await newTree(folder, { a: "one", b: "two" });
  const { run } = await drive.backup(at);
  await new Ledger(domain.service, run).update("outcomes/0-0000.jsonl", (text) => text.slice(0, -9));
  const requests = await requestsOf(async () => {
    const again = await drive.backup({ ...at, ...RECORD });
    expect(again.tally.counts).toMatchObject({ unchanged: 2 });
    const because = expect.stringContaining(run) as unknown;
    expect(await comparedWith(domain.service, again.run)).toEqual({ destination: true, because });
  });
  expect(
    requests.filter(({ container, comp }) => container === at.container && comp === "list"),
  ).toHaveLength(2);
});
it("content counts where checksum says so, and where only the file system's time of change differs", async () => {
  const at = await newTree(folder, { a: "one", b: "two", link: link("a") });
  await drive.backup(at);
  const moment = new Date();
  await utimes(path.join(at.root, "a"), moment, moment);
  const requests = await requestsOf(async () => {
    const { tally } = await drive.backup({ ...at, ...RECORD, checksum: true });
    expect(tally.counts).toMatchObject({ unchanged: 3, copied: 0 });
  });
  expect(requests.filter((each) => isWrite(each) && each.container === at.container)).toEqual([]);
  // Other content of the same size and time.
  await writeFile(path.join(at.root, "a"), "eno");
  await utimes(path.join(at.root, "a"), moment, moment);
  expect((await drive.backup({ ...at, ...RECORD })).tally.counts).toMatchObject({ unchanged: 2, copied: 1 });
});
