import pMap from "p-map";
import { z } from "zod";
import { DamagedRecord, NewerLedger } from "../ledger/damaged.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readListing } from "../ledger/listing.ts";
import { batchOutcomes, largeOutcome, listingName, listingOutcomes } from "../ledger/names.ts";
import type { Outcome } from "../model/outcome.ts";
import { damagedRecord } from "./page.ts";
import type { ManifestBlob } from "./run-map.ts";

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
        missing.push(damagedRecord(ledger, listingName(part), listing.problem));
        continue;
      }
      const { batches, large, rest, found, problem } = listing.value;
      if (problem !== undefined)
        missing.push(damagedRecord(ledger, listingName(part), `nothing was listed: ${problem}`));
      batches.forEach((batch, index) => {
        const name = batchOutcomes({ part, batch: index });
        if (!there.has(name))
          missing.push(damagedRecord(ledger, name, `the outcomes of ${batch.files} files are missing`));
      });
      large?.forEach((_range, index) => {
        const name = largeOutcome({ part, large: index });
        if (!there.has(name))
          missing.push(damagedRecord(ledger, name, "the outcome of a large file is missing"));
      });
      const settled = Object.values(found.counts).some((count) => count > 0);
      if (settled && !there.has(listingOutcomes(part))) {
        missing.push(damagedRecord(ledger, listingOutcomes(part), "the outcomes of the listing are missing"));
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
