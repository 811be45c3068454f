import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../ledger/ledger.ts";
import { batchOutcomes, largeOutcome, listingName, listingOutcomes } from "../ledger/names.ts";
import { LEDGER_CONTAINER } from "../model/names.ts";
import type { KeyRange } from "../model/order.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { linesOf } from "./blob-piece.ts";
import { itemOf, type ManifestItem } from "./line.ts";
import { listingsOf } from "./listings.ts";
import { mayHold } from "./piece.ts";
import type { Left } from "./plan-record.ts";
import { mapRun, type ManifestBlob } from "./run-map.ts";
import type { SourceRun } from "./source-run.ts";

/** What one record of outcomes says. */
interface ManifestPage {
  items: ManifestItem[];
  /** What is wrong with the record itself, as failures. */
  damage: Outcome[];
}

/**
 * What a run's plan covers, and what the run's ledger lacks of it.
 * @param within the only keys that are of interest: records without any of them are left out
 */
export async function wholeRun(
  { id, status }: SourceRun,
  service: BlobServiceClient,
  within: readonly KeyRange[],
): Promise<{ lines: Left[]; damage: Outcome[] }> {
  const blobs = (await mapRun({ service }, id)).outcomes;
  // A terminated run is expected to lack records.
  const ended = status !== "running" && status !== "canceled";
  return {
    lines: blobs.filter(({ fences }) => mayHold(fences, within)),
    damage: ended ? await missingRecords(new Ledger(service, id), blobs) : [],
  };
}

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

/** What a restore or verification says about a partial backup; undefined if it is not partial. */
export function partialNote({ id, status }: Pick<SourceRun, "id" | "status">): string | undefined {
  switch (status) {
    case "canceled":
      return `The backup is partial: the run ${id} was canceled, and has only what it had copied by then.`;
    // Not in progress: else it could not be read.
    case "running":
      return `The backup is partial: the run ${id} was terminated, and has only what it had copied by then.`;
    case "failed":
      return `The backup is partial: the run ${id} failed, and lacks what it could not back up.`;
    case "completed":
    case "skipped":
    case undefined:
      return undefined;
  }
}

/** Reads one record of outcomes. What is damaged in it is named; the rest is given. */
export async function readPage(
  ledger: Ledger,
  blob: Pick<ManifestBlob, "name"> & Partial<ManifestBlob>,
): Promise<ManifestPage> {
  const page: ManifestPage = { items: [], damage: [] };
  const onDamage = (name: string, reason: string) => page.damage.push(damagedRecord(ledger, name, reason));
  for await (const lines of linesOf(ledger, blob, onDamage)) {
    for (const { entry } of lines) {
      const item = itemOf(entry);
      if (item) page.items.push(item);
    }
  }
  return page;
}

/** What is wrong with a record of a run, as a failure. */
function damagedRecord(ledger: Ledger, name: string, reason: string): Outcome {
  const path = `${LEDGER_CONTAINER}/${ledger.runId}/${name}`;
  return failed({ path, kind: "other" }, `the run's record is damaged: ${reason}`);
}
