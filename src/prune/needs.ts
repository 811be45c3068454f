import { createHash } from "node:crypto";
import pMap from "p-map";
import { blobKey, blobName } from "../model/blob-name.ts";
import { emptyTally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import { inTurns } from "../model/in-turns.ts";
import { readManifest } from "../manifest/manifest.ts";
import type { ManifestRef } from "./decision.ts";
import { readSorted, Sorter } from "./sorted.ts";
import { stopped, type Prune, type SliceResult } from "./step.ts";

/** Blobs of the ledger that are read at a time. */
const READS = 16;
/** Lanes that manifests are read in: with 64 partitions a prune's history stays under 500 events. */
const LANES = 32;

/** What the manifests say of the names of one partition. Names and contents are told apart by short hashes. */
export class Needs {
  /** Names that a backup wrote or found there: others are none of the product's. */
  readonly #names = new Set<string>();
  /** Contents that runs which stay need, and the names of these. */
  readonly #contents = new Set<string>();
  readonly #neededNames = new Set<string>();

  take(line: string): void {
    const name = line.slice(1, 13);
    this.#names.add(name);
    if (!line.startsWith("k")) return;
    this.#contents.add(line.slice(1));
    this.#neededNames.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(hashOf(name));
  }

  /** Whether a run that stays needs a content of a name; without an MD5: any content. */
  needs(name: string, md5: string | undefined): boolean {
    return md5 === undefined ? this.#neededNames.has(hashOf(name)) : this.#contents.has(keyOf(name, md5));
  }
}

/** 24 characters. A clash of two keeps what could go; it never lets go what is needed. */
function keyOf(name: string, md5: string): string {
  return hashOf(name) + hashOf(md5);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest().toString("base64", 0, 9);
}

export function lanesOfNeeds({ manifests }: { manifests: readonly unknown[] }): number {
  return Math.min(LANES, manifests.length);
}

/**
 * Reads one range of the manifests, and sorts by partition what they name: a line a content, "k" where a run that stays
 * needs it, "f" where only runs had it that are forgotten. What such a run needs and is not readable stops the prune.
 */
export async function gatherNeeds(
  { ledger, decision }: Prune,
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
    async ({ run, name: blob, prefix, kept }) => {
      const { items, damage } = await readManifest(new Ledger(ledger.service, run), { name: blob, files: 0 });
      if (kept) damaged.push(...damage.map(({ path, reason }) => `${path}: ${reason}`));
      await inTurns(items, ({ path, md5 }) => {
        const key = blobKey(blobName(path, prefix));
        const line = `${kept ? "k" : "f"}${keyOf(key, md5)}`;
        if (!seen.has(line)) sorter.add(key, line);
        seen.add(line);
      });
    },
    { concurrency: READS },
  );
  if (damaged.length > 0) {
    return stopped(
      `Nothing was deleted: what a run that stays needs is not known. ${damaged[0]}. ` +
        `If that run is not wanted any more, delete its folder in the container backup-runs.`,
    );
  }
  await sorter.settle(ledger, name, {});
  return result;
}

/** What was gathered for one partition. @throws when any of it is missing: deleting on half of it would be the end of the rest */
export async function readNeeds({ ledger, decision }: Prune, partition: number): Promise<Needs> {
  const needs = new Needs();
  await pMap(
    decision.manifests,
    async (_range, index) => {
      const sorted = await readSorted(ledger, `needs-${index}`);
      const range = sorted?.ranges[partition];
      if (!range)
        throw new Error(`The ledger of run ${ledger.runId} does not say what range ${index} needs.`);
      await inTurns(await ledger.readLines<string>(range), (line) => needs.take(line));
    },
    { concurrency: READS },
  );
  return needs;
}
