import pMap from "p-map";
import { z } from "zod";
import { LEDGER_CONTAINER } from "../storage/ledger-container.ts";
import { readRecord } from "../ledger/damaged.ts";
import { readTally, settleOutcomes } from "../ledger/outcomes.ts";
import { indexName } from "../ledger/run-index.ts";
import { readRun } from "../ledger/run-record.ts";
import { Ledger } from "../ledger/ledger.ts";
import { blobPages } from "../storage/blob-pages.ts";
import { withRetries } from "../storage/retries.ts";
import type { Decision } from "./decision.ts";
import type { Prune, SliceResult } from "./step.ts";

/** Lanes that ledgers are deleted in; a slice is one ledger. */
const LANES = 16;
/** Blobs of a ledger that are deleted at a time. */
const AT_A_TIME = 32;

/** None where blobs were left for now: it takes the records to know them again. The next prune goes on from there. */
export function lanesOfLedgers(decision: Decision): number {
  return decision.lingering ? 0 : Math.min(LANES, ledgersOf(decision).length);
}

function ledgersOf({ forgotten, records }: Pick<Decision, "forgotten" | "records">) {
  return [
    ...forgotten.map(({ id, started }) => ({
      id,
      what: `the record of the forgotten run of ${started ?? "an unknown time"}`,
    })),
    ...records,
  ];
}

/** Deletes the ledger of one run, once nothing of what only it needed is left; in a dry run only records it. */
export async function deleteLedgers(prune: Prune, lane: number, slice: number): Promise<SliceResult> {
  const ledgers = ledgersOf(prune.decision);
  const index = lane + slice * LANES;
  const { id, what } = ledgers[index]!;
  const done = index + LANES >= ledgers.length;
  const record = `outcomes/ledger-${id}.jsonl`;
  const before = await readTally(prune.ledger, record);
  if (before) return { tally: before, done };
  const { dryRun } = prune.decision.request;
  const ledger = new Ledger(prune.service, id);
  const size = await settleSize(ledger, prune, dryRun);
  if (!dryRun) await remove(ledger, prune);
  const reason = dryRun ? `would be: ${what}` : what;
  const path = `${LEDGER_CONTAINER}/${id}`;
  const outcome = { path, outcome: "deleted", kind: "other", size, reason } as const;
  return { tally: await settleOutcomes(prune.ledger, record, [outcome]), done };
}

/** Of the run, without its record, which is longer by the mark that it is forgotten: a dry run foretells the same. */
async function* blobsOf({ runId, service }: Ledger) {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  for await (const { blobs } of blobPages(container, { prefix: `${runId}/` })) {
    yield blobs.filter(({ name }) => name !== `${runId}/run.json`);
  }
}

/** Bytes. Recorded before the first of them goes: a delivery after one that was broken off finds only the rest. */
async function settleSize(ledger: Ledger, prune: Prune, dryRun: boolean): Promise<number> {
  const name = `lists/ledger-${ledger.runId}.json`;
  const before = dryRun ? undefined : await prune.ledger.read(name);
  if (before !== undefined) return sizeIn(before, prune, name);
  let size = 0;
  for await (const blobs of blobsOf(ledger)) {
    size += blobs.reduce((sum, { properties }) => sum + (properties.contentLength ?? 0), 0);
  }
  if (dryRun) return size;
  const { won } = await prune.ledger.writeOnce(name, JSON.stringify({ size }));
  return won ? size : sizeIn((await prune.ledger.read(name)) ?? "", prune, name);
}

function sizeIn(text: string, prune: Prune, name: string): number {
  return readRecord<{ size: number }>(text, sizeRecord, `${prune.ledger.runId}/${name}`).size;
}

const sizeRecord = z.looseObject({ size: z.number().int().min(0) });

/** The record itself last: as long as it is there, it says that the run is forgotten. */
async function remove(ledger: Ledger, { service, budget, ensureLock }: Prune): Promise<void> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  const remove = async (name: string) => {
    await ensureLock();
    await budget.request(() =>
      withRetries((abortSignal) =>
        container.getBlobClient(name).deleteIfExists({ abortSignal, deleteSnapshots: "include" }),
      ),
    );
  };
  for await (const blobs of blobsOf(ledger)) {
    await pMap(
      blobs.map(({ name }) => name),
      remove,
      { concurrency: AT_A_TIME },
    );
  }
  const known = await readRun(ledger);
  if (known) await remove(indexName(known));
  await remove(`${ledger.runId}/run.json`);
}
