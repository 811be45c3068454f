/** What a backup costs in requests, and what is kept of what it overwrites. */
import { rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import type { BackupRequest } from "../../src/backup/request.ts";
import { listPart, newRun, requestFor, startDomain, type Domain } from "../harness/domain.ts";
import { isWrite } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree, manyFiles } from "../harness/tree.ts";

let domain: Domain;
let folder: string;

beforeAll(async () => {
  domain = await startDomain();
  folder = await makeFolder("requests");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Backs up, and gives the requests about the destination's container. */
async function backUp(request: BackupRequest) {
  const before = domain.proxy.requests.length;
  const run = newRun();
  const { service, settings, budget } = domain;
  const whole = { run, part: "0", request };
  const { batches } = await listPart(whole, domain);
  for (const batch of batches) await copyBatch(batch, service, settings, budget);
  return domain.proxy.requests.slice(before).filter(({ container }) => container === request.container);
}

it("a first backup sends each file and asks nothing of it; an unchanged one lists what is there once", async () => {
  const root = await makeTree(path.join(folder, "first"), manyFiles(200));
  const request = requestFor(root);
  const first = await backUp(request);
  expect(first.filter(({ blob }) => blob !== "")).toHaveLength(200);
  expect(first.length).toBeLessThan(205);
  const again = await backUp({ ...request, mode: "incremental" });
  expect(again.filter(({ blob }) => blob !== "")).toEqual([]);
  // Is there anything; and the listing.
  expect(again.filter(({ comp }) => comp === "list")).toHaveLength(2);
});

it("writes five records a part and one a batch, however many files they have", async () => {
  const root = await makeTree(path.join(folder, "recorded"), manyFiles(120, 2));
  const run = newRun();
  const before = domain.proxy.requests.length;
  const { service, settings, budget } = domain;
  const { batches } = await listPart({ run, part: "0", request: requestFor(root) }, domain);
  for (const batch of batches) await copyBatch(batch, service, settings, budget);
  const writes = domain.proxy.requests.slice(before).filter((request) => isWrite(request));
  const records = writes.filter(({ blob }) => blob.startsWith(`${run}/`));
  expect(records.map(({ blob }) => blob.slice(run.length + 1).replace(/-[\da-f-]{36}/, ""))).toEqual([
    "run.json",
    "lists/0.jsonl",
    "lists/0.directories.jsonl",
    "lists/0.json",
    "outcomes/0-directories.jsonl",
    "outcomes/0-0000.jsonl",
  ]);
});

it("lists the directories that it looks at one by one where there is far more", async () => {
  const root = await makeTree(path.join(folder, "few"), { "a/1": "1", "b/c/2": "2", "b/3": "3" });
  const { service, settings } = domain;
  const request = requestFor(root);
  await backUp(request);
  const container = service.getContainerClient(request.container);
  // More than twice what a part of the tree may have.
  for (const name of Array.from({ length: 20 }, (_none, index) => `0/${index}`)) {
    await container
      .getBlockBlobClient(request.prefix === "" ? name : `${request.prefix}/${name}`)
      .upload("", 0);
  }
  const before = domain.proxy.requests.length;
  const { batches, found } = await listFiles(
    { run: newRun(), part: "0", request: { ...request, mode: "incremental" } },
    service,
    { ...settings, listFiles: 8 },
  );
  const lists = domain.proxy.requests.slice(before).filter(({ comp }) => comp === "list");
  expect({ batches, unchanged: found.counts.unchanged }).toEqual({ batches: [], unchanged: 3 });
  // Is there anything; all that is there, given up; and a directory each.
  expect(lists).toHaveLength(5);
});

it.each([
  [true, 1],
  [false, 0],
])("with keepVersions %s an overwritten file leaves %i snapshots", async (keepVersions, snapshots) => {
  const root = await makeTree(path.join(folder, String(keepVersions)), { a: "one" });
  const request = requestFor(root, { keepVersions });
  await backUp(request);
  await makeTree(root, { a: "another" });
  const requests = await backUp(request);
  expect(requests.filter(({ comp }) => comp === "snapshot")).toHaveLength(snapshots);
});
