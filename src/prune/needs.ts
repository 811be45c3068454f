import pMap from "p-map";
import { Ledger } from "../ledger/ledger.ts";
import { readPage } from "../manifest/run-records.ts";
import { inTurns } from "../model/in-turns.ts";
import { emptyTally } from "../model/outcome.ts";
import { Lost } from "../store/fetching.ts";
import type { Needs } from "../store/pruning.ts";
import type { ManifestRef } from "./decision.ts";
import { readSorted, Sorter } from "./sorted.ts";
import { stopped, type Prune, type SliceResult } from "./step.ts";

/** Concurrent reads of the ledger's blobs. */
const READS = 16;
/** Lanes that read manifests: with 64 partitions, a prune's history stays under 500 events. */
const LANES = 32;

export function lanesOfNeeds({ manifests }: { manifests: readonly unknown[] }): number {
  return Math.min(LANES, manifests.length);
}

/**
 * Reads one range of the manifests, and sorts what they need by partition. The prune stops if the manifest of a run that
 * stays is damaged.
 */
export async function gatherNeeds(
  { ledger, decision, storeAt, budget }: Prune,
  lane: number,
  slice: number,
): Promise<SliceResult> {
  const { manifests, partitions } = decision;
  const range = lane + slice * LANES;
  const result = { tally: emptyTally(), done: range + LANES >= manifests.length };
  const name = `needs-${range}`;
  if (await readSorted(ledger, name)) return result;
  const refs = await ledger.readLines<ManifestRef>(manifests[range]!);
  const sorter = new Sorter(partitions);
  const seen = new Set<string>();
  const damaged: string[] = [];
  await pMap(
    refs,
    async ({ run, name: blob, prefix, ...whose }) => {
      const { items, damage } = await readPage(new Ledger(ledger.service, run), { name: blob });
      if (whose.kept) damaged.push(...damage.map(({ path, reason }) => `${path}: ${reason}`));
      const needed = await storeAt(prefix)
        .needsOf(items, whose, budget)
        .catch((error: unknown) => {
          if (!(error instanceof Lost)) throw error;
          damaged.push(`${run}: ${error.message}`);
          return [];
        });
      await inTurns(needed, ({ name, line }) => {
        if (!seen.has(line)) sorter.add(name, line);
        seen.add(line);
      });
    },
    { concurrency: READS },
  );
  if (damaged.length > 0) {
    return stopped(
      `Nothing was deleted, because the record of a run that stays is damaged: ${damaged[0]}. ` +
        `If you no longer want that run, delete its folder in the container backup-runs.`,
    );
  }
  await sorter.settle(ledger, name, {});
  return result;
}

/** What was gathered for one partition. @throws Error if any of it is missing, for then needed contents would be deleted */
export async function readNeeds({ ledger, decision, store }: Prune, partition: number): Promise<Needs> {
  const needs = store.noNeeds();
  await pMap(
    decision.manifests,
    async (_range, index) => {
      const sorted = await readSorted(ledger, `needs-${index}`);
      const range = sorted?.ranges[partition];
      if (!range)
        throw new Error(`The record of the run ${ledger.runId} has no list of what range ${index} needs.`);
      await inTurns(await ledger.readLines<string>(range), (line) => needs.take(line));
    },
    { concurrency: READS },
  );
  return needs;
}
