import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { z } from "zod";
import { failed, type Outcome } from "../model/outcome.ts";
import { DamagedRecord, NewerLedger } from "../ledger/damaged.ts";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readListing } from "../ledger/listing.ts";
import { batchOutcomes, largeOutcome, listingName, listingOutcomes } from "../ledger/names.ts";
import { linesOf } from "./blob-piece.ts";
import { itemOf, type ManifestItem } from "./line.ts";
import { mapRun, type ManifestBlob } from "./run-map.ts";

export type { ManifestBlob, ManifestItem };

/** What one blob of a manifest says. */
export interface ManifestPage {
  items: ManifestItem[];
  /** Names that were there when the directories were read, and are not in the backup. */
  missed: string[];
  /** What is wrong with the record itself, as failures. */
  damage: Outcome[];
}

/** The blobs of a run's manifest that have outcomes, in order. One list call for 5,000 of them. */
export async function listManifest(service: BlobServiceClient, run: string): Promise<ManifestBlob[]> {
  return (await mapRun({ service, behindProxy: true }, run)).outcomes;
}

/** Reads one record of outcomes. What is damaged in it is named; the rest is given. */
export async function readManifest(
  ledger: Ledger,
  blob: Pick<ManifestBlob, "name"> & Partial<ManifestBlob>,
): Promise<ManifestPage> {
  const page: ManifestPage = { items: [], missed: [], damage: [] };
  const onDamage = (name: string, reason: string) => page.damage.push(damaged(ledger, name, reason));
  for await (const lines of linesOf(ledger, blob, onDamage)) {
    for (const { entry } of lines) {
      const item = itemOf(entry);
      if (item) page.items.push(item);
      else if (entry.outcome === "failed" || entry.outcome === "skipped" || entry.outcome === "vanished")
        page.missed.push(entry.path);
    }
  }
  return page;
}

function damaged(ledger: Ledger, name: string, reason: string): Outcome {
  const path = `${LEDGER_CONTAINER}/${ledger.runId}/${name}`;
  return failed({ path, kind: "other" }, `the run's record is damaged: ${reason}`);
}

/** What must be right in a listing to count what it stands for. */
const LISTING = z.object({
  batches: z.array(z.object({ files: z.number() })),
  large: z.array(z.unknown()).optional(),
  rest: z.array(z.unknown()),
  found: z.object({ counts: z.record(z.string(), z.number()) }),
  problem: z.string().optional(),
});

/** Listings read at a time. */
const READS = 16;

/**
 * What a run that has ended should have recorded and has not: outcomes of a batch, the listing of a part. Each is a
 * failure that names the record and how many files it stands for.
 */
export async function missingRecords(ledger: Ledger, blobs: readonly ManifestBlob[]): Promise<Outcome[]> {
  const there = new Set(blobs.map(({ name }) => name));
  const missing: Outcome[] = [];
  let parts = ["0"];
  while (parts.length > 0) {
    const listings = await pMap(parts, async (part) => ({ part, listing: await listingOf(ledger, part) }), {
      concurrency: READS,
    });
    parts = [];
    for (const { part, listing } of listings) {
      if (!listing.value) {
        missing.push(damaged(ledger, listingName(part), listing.problem));
        continue;
      }
      const { batches, large, rest, found, problem } = listing.value;
      if (problem !== undefined)
        missing.push(damaged(ledger, listingName(part), `nothing was listed: ${problem}`));
      batches.forEach((batch, index) => {
        const name = batchOutcomes({ part, batch: index });
        if (!there.has(name))
          missing.push(damaged(ledger, name, `the outcomes of ${batch.files} files are missing`));
      });
      large?.forEach((_range, index) => {
        const name = largeOutcome({ part, large: index });
        if (!there.has(name)) missing.push(damaged(ledger, name, "the outcome of a large file is missing"));
      });
      const settled = Object.values(found.counts).some((count) => count > 0);
      if (settled && !there.has(listingOutcomes(part))) {
        missing.push(damaged(ledger, listingOutcomes(part), "the outcomes of the listing are missing"));
      }
      parts.push(...rest.map((_range, index) => `${part}.${index}`));
    }
  }
  return missing;
}

async function listingOf(ledger: Ledger, part: string) {
  try {
    const value = await readListing(ledger, part);
    if (!value) return { problem: "the listing of this part is missing" };
    return LISTING.safeParse(value).success ? { value } : { problem: "it is not a listing" };
  } catch (error) {
    if (error instanceof DamagedRecord || error instanceof NewerLedger) return { problem: error.message };
    throw error;
  }
}
