import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { z } from "zod";
import { readRecord } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { RUN_RECORD } from "../ledger/names.ts";
import { readTally, settleOutcomes } from "../ledger/outcomes.ts";
import { indexName } from "../ledger/run-index.ts";
import { readRun, type RunRecord } from "../ledger/run-record.ts";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { emptyTally, type Outcome } from "../model/outcome.ts";
import { blobPages } from "../storage/blob-pages.ts";
import type { Erase } from "../store/pruning.ts";
import type { Decision, RecordToGo } from "./decision.ts";
import type { Prune, SliceResult } from "./step.ts";

/** Lanes that ledgers are deleted in. */
const LANES = 16;
/** Ledgers in a slice: enough that its fixed requests are few beside its deletes. */
const A_SLICE = 8;
/** Concurrent deletions in a ledger; the process's budget of requests limits them further. */
const AT_A_TIME = 32;
/** Milliseconds after which a slice stops deleting: well within a function's five minutes. */
const MOST_MS = 60_000;

/** None if blobs stay for now: the next prune needs the records to find them. */
export function lanesOfLedgers(decision: Decision): number {
  return decision.lingering ? 0 : Math.min(LANES, slicesOf(decision));
}

function slicesOf(decision: Decision): number {
  return Math.ceil(ledgersOf(decision).length / A_SLICE);
}

function ledgersOf({ forgotten, records }: Pick<Decision, "forgotten" | "records">): RecordToGo[] {
  return [
    ...forgotten.map(({ id, started }) => ({
      id,
      what: `the record of the forgotten run of ${started ?? "an unknown time"}`,
    })),
    ...records,
  ];
}

/**
 * Deletes the ledgers of a few runs, once the contents that only they needed are gone; a dry run only records it. When its
 * time is up, the same slice is called again.
 */
export async function deleteLedgers(prune: Prune, lane: number, slice: number): Promise<SliceResult> {
  const { decision, erase } = prune;
  const number = lane + slice * LANES;
  const done = number + LANES >= slicesOf(decision);
  const record = `outcomes/ledgers-${number}.jsonl`;
  const before = await readTally(prune.ledger, record);
  if (before) return { tally: before, done };
  const until = performance.now() + MOST_MS;
  const ledgers = ledgersOf(decision).slice(number * A_SLICE, (number + 1) * A_SLICE);
  const looks = await pMap(ledgers, ({ id }) => lookInto(id, prune), { concurrency: A_SLICE });
  let sizes = Object.fromEntries(looks.map(({ id, size }) => [id, size]));
  if (erase) {
    sizes = await settleSizes(sizes, prune, `lists/ledgers-${number}.json`);
    const gone = await pMap(looks, (look) => remove(look, prune, erase, until), { concurrency: A_SLICE });
    if (gone.includes(false)) return { tally: emptyTally(), done: false, again: true };
  }
  const outcomes = ledgers.map(({ id, what }): Outcome => {
    const reason = erase ? what : `would be: ${what}`;
    const path = `${LEDGER_CONTAINER}/${id}`;
    return { path, outcome: "deleted", kind: "other", size: sizes[id] ?? 0, reason };
  });
  return { tally: await settleOutcomes(prune.ledger, record, outcomes), done };
}

/** What is left of a ledger. */
interface Look {
  id: string;
  record: RunRecord | undefined;
  /** The first page of its blobs; there are seldom more. */
  first: string[];
  more: boolean;
  size: number;
}

/** A ledger's blobs without `run.json`: the mark "forgotten" makes that longer, and a dry run must report the same sizes. */
async function* blobsOf(id: string, service: BlobServiceClient) {
  for await (const { blobs } of blobPages(service.getContainerClient(LEDGER_CONTAINER), {
    prefix: `${id}/`,
  })) {
    yield blobs.filter(({ name }) => name !== `${id}/${RUN_RECORD}`);
  }
}

async function lookInto(id: string, { service }: Prune): Promise<Look> {
  const look: Look = { id, record: undefined, first: [], more: false, size: 0 };
  const list = async () => {
    for await (const blobs of blobsOf(id, service)) {
      if (look.first.length > 0) look.more = true;
      else look.first = blobs.map(({ name }) => name);
      look.size += blobs.reduce((sum, { properties }) => sum + (properties.contentLength ?? 0), 0);
    }
  };
  [look.record] = await Promise.all([readRun(new Ledger(service, id)), list()]);
  return look;
}

/** Records the sizes before the first blob is deleted, for a later delivery finds only what is left. */
async function settleSizes(sizes: Record<string, number>, { ledger }: Prune, name: string) {
  const { won } = await ledger.writeOnce(name, JSON.stringify({ sizes }));
  if (won) return sizes;
  const text = (await ledger.read(name)) ?? "";
  return readRecord<{ sizes: typeof sizes }>(text, sizesRecord, `${ledger.runId}/${name}`).sizes;
}

const sizesRecord = z.looseObject({ sizes: z.record(z.string(), z.number().int().min(0)) });

/**
 * Deletes `run.json` last: as long as it is there, it says that the run is forgotten.
 * @returns false if the time was up first
 */
async function remove(
  { id, record, first, more }: Look,
  { service }: Prune,
  erase: Erase,
  until: number,
): Promise<boolean> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  const removeBlob = async (name: string): Promise<boolean> => {
    if (performance.now() > until) return false;
    await erase(container.getBlobClient(name), { deleteSnapshots: "include" });
    return true;
  };
  const removeAll = async (names: readonly string[]) =>
    !(await pMap(names, removeBlob, { concurrency: AT_A_TIME })).includes(false);
  if (!(await removeAll(first))) return false;
  if (more) {
    for await (const blobs of blobsOf(id, service)) {
      if (!(await removeAll(blobs.map(({ name }) => name)))) return false;
    }
  }
  if (record) await removeBlob(indexName(record));
  return await removeBlob(`${id}/${RUN_RECORD}`);
}
