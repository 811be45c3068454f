/** What a question about a run of very many files costs, in requests and in memory. */
import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import pMap from "p-map";
import { Ledger, toLine } from "../../src/ledger/ledger.ts";
import { batchOutcomes } from "../../src/ledger/names.ts";
import { settleOutcomes } from "../../src/ledger/outcomes.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { takeAccount } from "../harness/azurite.ts";
import { newRun } from "../harness/domain.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { answerOf, askAlone, startReader } from "./ask-many.ts";
import { writeRunOf } from "./many.ts";
import { makeOld } from "./old-record.ts";
import type { Question } from "./read-many.ts";

/** Names in each directory: 110,592 files in 2,352 directories, listed by three levels of parts. The bench has a million. */
const NAMES = 48;
const FILES = NAMES ** 3;
const DIRECTORIES = NAMES ** 2 + NAMES;
const LEVELS = 3;
const MD5 = Buffer.alloc(16).toString("base64");

const azurite = takeAccount();
const run = newRun();
let proxy: StorageProxy;
let reader: ChildProcess;

beforeAll(async () => {
  proxy = await startStorageProxy(azurite);
  await writeRunOf(azurite.service, run, NAMES);
  reader = startReader(proxy, run);
}, 300_000);
afterAll(async () => {
  reader.kill();
  await proxy.stop();
  await azurite.stop();
});

const number = (some: number) => `name-${String(some).padStart(4, "0")}`;
const [first, middle, last] = [number(0), number(NAMES / 2), number(NAMES - 1)];

test.each<[Question["about"], string, number]>([
  ["entry", `${first}/${first}/${first}`, 1],
  ["entry", `${middle}/${middle}/${last}`, 1],
  ["entry", `${last}/${last}/${last}`, 1],
  ["entry", `${middle}/${middle}`, 1],
  ["entry", `${middle}/no such name`, 0],
  ["directory", "", NAMES],
  ["directory", middle, NAMES],
  ["directory", `${middle}/${middle}`, NAMES],
  ["directory", `${last}/${last}`, NAMES],
])("%s %s: one list call, two reads a level, 32 MiB", async (about, path, found) => {
  const answer = await answerOf(reader, proxy, { about, path });
  expect(answer).toMatchObject({ found, lists: 1 });
  expect(answer.records.length).toBeLessThanOrEqual(2 * LEVELS);
  expect(answer.mebibytes).toBeLessThan(32);
});

test("what is extra in a few directories far from each other: so many reads for each", async () => {
  const directories = [
    "",
    first,
    `${first}/${middle}`,
    `${middle}/${first}`,
    "nowhere",
    `${last}/${last}`,
  ].toSorted();
  const { found, lists, records, mebibytes } = await askAlone(proxy, run, {
    about: "names",
    path: directories.join(":"),
  });
  expect({ found, lists }).toEqual({ found: 5, lists: 2 });
  expect(records.length).toBeLessThanOrEqual(4 * LEVELS * directories.length);
  expect(mebibytes).toBeLessThan(32);
});

async function expectWalk(reads: number): Promise<void> {
  const { found, lists, records, mebibytes } = await askAlone(proxy, run, { about: "walk", path: "" });
  expect({ found, lists }).toEqual({ found: FILES + DIRECTORIES, lists: 1 });
  expect(records.length).toBe(new Set(records).size);
  expect(records.length).toBeGreaterThan(reads);
  expect(mebibytes).toBeLessThan(48);
}

test("records of others that all overlap are not held together", async () => {
  const forged = newRun();
  const ledger = new Ledger(azurite.service, forged);
  const [records, lines] = [80, 2_500];
  await pMap(
    Array.from({ length: records }, (_none, record) => record),
    async (record) => {
      const outcomes = Array.from({ length: lines }, (_none, line): Outcome => {
        const name = `${String(line).padStart(6, "0")}-${record}`;
        return {
          path: `d/${name}`,
          outcome: "copied",
          kind: "file",
          size: 1,
          mtime: 1,
          mode: 0o600,
          md5: MD5,
        };
      });
      await settleOutcomes(ledger, batchOutcomes({ part: "0", batch: record }), outcomes);
    },
    { concurrency: 4 },
  );
  const { found, mebibytes } = await askAlone(proxy, forged, { about: "walk", path: "d" });
  expect(found).toBe(records * lines);
  expect(mebibytes).toBeLessThan(48);
}, 300_000);

test("a record of others that is not sorted, with thousands of directories above each name", async () => {
  const forged = newRun();
  const lines = Array.from({ length: 3 }, (_none, line) =>
    toLine({
      path: `${line}/${"d/".repeat(3_000)}f`,
      outcome: "failed",
      kind: "file",
      size: 0,
      reason: "none",
    }),
  );
  await new Ledger(azurite.service, forged).writeOnce(batchOutcomes({ part: "0", batch: 0 }), lines.join(""));
  expect(await askAlone(proxy, forged, { about: "directory", path: "2" })).toMatchObject({ found: 1 });
}, 300_000);

test("a walk reads each record once, and holds few", async () => {
  await expectWalk(400);
}, 300_000);

test("so it does where an older release wrote the records", async () => {
  await makeOld(azurite.service, run, "all");
  await expectWalk(250);
}, 300_000);
