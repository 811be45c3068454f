/** The record of a run and its place in the index, where several write and read at a time. */
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, it } from "vitest";
import { emptyCounts } from "../../src/backup/outcome.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { closeRun, openRun, readRun, type RunRecord } from "../../src/ledger/run-record.ts";
import { listRuns } from "../../src/records/list-runs.ts";
import { runsQuery } from "../../src/records/schema.ts";
import { startAzurite, type TestStorage } from "../harness/azurite.ts";

let azurite: TestStorage;
let service: BlobServiceClient;
beforeAll(async () => {
  azurite = await startAzurite();
  service = BlobServiceClient.fromConnectionString(azurite.connectionString);
});
afterAll(() => azurite.stop());

const request = { root: "/srv/www", container: "backups", prefix: "", mode: "full" as const };
const all = () => listRuns(service, runsQuery.parse({}));

it("is empty where nothing was ever backed up", async () => {
  expect(await all()).toEqual({ runs: [] });
});

it("of many ends at once the first stands, for the record and the index alike", async () => {
  const ledger = new Ledger(service, "ends");
  await openRun(ledger, request);
  const ends = (["completed", "failed", "canceled", "completed"] as const).map((status, bytes) =>
    closeRun(ledger, { status, counts: { ...emptyCounts(), bytes } }),
  );
  const closed = await Promise.all(ends);
  for (const record of closed) expect(record).toEqual(closed[0]);
  expect(await readRun(ledger)).toEqual(closed[0]);
  expect((await all()).runs).toMatchObject([
    { id: "ends", status: closed[0]?.status, bytes: closed[0]?.counts?.bytes },
  ]);
});

it("a beginning that is delivered again after the end hides nothing of it", async () => {
  const ledger = new Ledger(service, "again");
  await openRun(ledger, request);
  await closeRun(ledger, { status: "completed", counts: emptyCounts() });
  await openRun(ledger, request);
  expect((await all()).runs.find(({ id }) => id === "again")).toMatchObject({ status: "completed" });
  expect((await all()).runs.filter(({ id }) => id === "again")).toHaveLength(1);
});

it("is read whole while it is written", async () => {
  const ledger = new Ledger(service, "torn");
  await openRun(ledger, request);
  let writing = true;
  const writer = (async () => {
    for (let times = 0; times < 60; times++) {
      const message = "x".repeat((times % 2) * 5000);
      await ledger.update("run.json", (text) =>
        JSON.stringify({ ...(JSON.parse(text) as RunRecord), message }),
      );
    }
    writing = false;
  })();
  let reads = 0;
  for (; writing; reads++) expect(await readRun(ledger)).toMatchObject({ id: "torn" });
  await writer;
  expect(reads).toBeGreaterThan(10);
});
