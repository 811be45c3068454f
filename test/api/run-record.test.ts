/** The record of a run and its place in the index, where several write and read at a time. */
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, it } from "vitest";
import { emptyCounts } from "../../src/model/outcome.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { readRun, type RunRecord } from "../../src/ledger/run-record.ts";
import { closeRun, openRun } from "../../src/ledger/runs.ts";
import type { Instances } from "../../src/api/engine.ts";
import { showRun } from "../../src/api/read-run.ts";
import { settleOutcomes } from "../../src/ledger/outcomes.ts";
import { listRuns } from "../../src/api/list-runs.ts";
import { runsQuery } from "../../src/api/query-schema.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";

let azurite: TestStorage;
let service: BlobServiceClient;
beforeAll(async () => {
  azurite = takeAccount();
  service = BlobServiceClient.fromConnectionString(azurite.connectionString);
});
afterAll(() => azurite.stop());

const request = { root: "/srv/www", container: "backups", prefix: "", mode: "full" as const };
/** An engine in which every run is active. */
const engine: Instances = {
  app: "app",
  get: async () => ({ status: "active", output: null, updated: new Date() }),
  activeOf: async () => [],
  terminate: async () => undefined,
};
const all = () => listRuns(service, engine, runsQuery.parse({}));

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

it("the list and the run count a canceled run alike, as final only when nothing can be at work any more", async () => {
  const copied = (path: string) => ({ path, outcome: "copied", kind: "file", size: 1 }) as const;
  for (const [id, minutes, settling] of [
    ["lately", 50, true],
    ["long-ago", 70, undefined],
  ] as const) {
    const ledger = new Ledger(service, id);
    await openRun(ledger, request);
    await settleOutcomes(ledger, "outcomes/0-0.jsonl", [copied("a")]);
    const finished = new Date(Date.now() - minutes * 60_000).toISOString();
    await closeRun(ledger, { status: "canceled", finished });
    for (const some of settling ? ["0-1", "0-2"] : ["0-1"]) {
      // An activity that was under way.
      await settleOutcomes(ledger, `outcomes/${some}.jsonl`, [copied(some), copied(`${some}-b`)]);
      const listed = (await all()).runs.find((run) => run.id === id);
      const shown = await showRun(service, engine, id);
      expect(shown).toEqual(listed);
      expect(shown).toMatchObject({ status: "canceled", counts: { copied: some === "0-1" ? 3 : 5 } });
      expect(shown?.settling).toBe(settling);
    }
    expect((await readRun(ledger))?.counts?.copied).toBe(settling ? undefined : 3);
  }
});
