import type { Ledger } from "../ledger/ledger.ts";
import { batchOutcomes, largeOutcome, listingName, listingOutcomes } from "../ledger/names.ts";
import type { Outcome } from "../model/outcome.ts";
import { listingsOf } from "./listings.ts";
import { damagedRecord } from "./page.ts";
import type { ManifestBlob } from "./run-map.ts";

/**
 * What a run that has ended should have recorded and has not: outcomes of a batch, the listing of a part. Each is a
 * failure that names the record and how many files it stands for.
 */
export async function missingRecords(ledger: Ledger, blobs: readonly ManifestBlob[]): Promise<Outcome[]> {
  const there = new Set(blobs.map(({ name }) => name));
  const missing: Outcome[] = [];
  const say = (name: string, what: string) => missing.push(damagedRecord(ledger, name, what));
  const expect = (name: string, what: string) => there.has(name) || say(name, what);
  for await (const { part, listing, problem } of listingsOf(ledger)) {
    if (!listing) {
      say(listingName(part), problem);
      continue;
    }
    if (listing.problem !== undefined) say(listingName(part), `nothing was listed: ${listing.problem}`);
    for (const [batch, { files }] of listing.batches.entries())
      expect(batchOutcomes({ part, batch }), `the outcomes of ${files} files are missing`);
    for (const large of listing.large.keys())
      expect(largeOutcome({ part, large }), "the outcome of a large file is missing");
    if (Object.values(listing.found.counts).some((count) => count > 0))
      expect(listingOutcomes(part), "the outcomes of the listing are missing");
  }
  return missing;
}
