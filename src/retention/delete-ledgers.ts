import pMap from "p-map";
import { LEDGER_CONTAINER } from "../backup/request.ts";
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
    ...records.map((id) => ({
      id,
      what: "the record of a restore, a verification or a prune of what is forgotten",
    })),
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
  const size = await remove(new Ledger(prune.service, id), prune, dryRun);
  const reason = dryRun ? `would be: ${what}` : what;
  const path = `${LEDGER_CONTAINER}/${id}`;
  const outcome = { path, outcome: "deleted", kind: "other", size, reason } as const;
  return { tally: await settleOutcomes(prune.ledger, record, [outcome]), done };
}

/** The record itself last: as long as it is there, it says that the run is forgotten. @returns bytes */
async function remove(
  ledger: Ledger,
  { service, budget, ensureLock }: Prune,
  dryRun: boolean,
): Promise<number> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  const remove = async (name: string) => {
    await ensureLock();
    await budget.request(() =>
      withRetries((abortSignal) =>
        container.getBlobClient(name).deleteIfExists({ abortSignal, deleteSnapshots: "include" }),
      ),
    );
  };
  const last = `${ledger.runId}/run.json`;
  let size = 0;
  for await (const { blobs } of blobPages(container, { prefix: `${ledger.runId}/` })) {
    const others = blobs.filter(({ name }) => name !== last);
    // Without the record, which is longer by the mark that it is forgotten: a dry run foretells the same.
    size += others.reduce((sum, { properties }) => sum + (properties.contentLength ?? 0), 0);
    const names = others.map(({ name }) => name);
    if (!dryRun) await pMap(names, remove, { concurrency: AT_A_TIME });
  }
  if (dryRun) return size;
  const known = await readRun(ledger);
  if (known) await remove(indexName(known));
  await remove(last);
  return size;
}
