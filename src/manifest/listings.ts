import pMap from "p-map";
import { DamagedRecord, NewerLedger } from "../ledger/damaged.ts";
import { directoryLine, type DirectoryLine } from "../ledger/directories.ts";
import type { Ledger, ListRange } from "../ledger/ledger.ts";
import { readListing, type Listing } from "../ledger/listing.ts";
import { WHOLE } from "../ledger/part-record.ts";
import { classify } from "../storage/errors.ts";
import type { OnDamage } from "./blob-piece.ts";

/** Concurrent reads of listings. */
const READS = 16;

/** The listing of a part, or why it cannot be read. */
type Listed = { part: string } & (
  { listing: Listing; problem?: undefined } | { listing?: undefined; problem: string }
);

export async function listingOf(ledger: Ledger, part: string): Promise<Listed> {
  try {
    const listing = await readListing(ledger, part);
    return listing ? { part, listing } : { part, problem: "the listing of this part is missing" };
  } catch (error) {
    if (!(error instanceof DamagedRecord) && !(error instanceof NewerLedger)) throw error;
    return { part, problem: error.message };
  }
}

/** The listings of all parts of a run, each before those of the parts that it left. */
export async function* listingsOf(ledger: Ledger): AsyncGenerator<Listed> {
  for (let parts = [WHOLE]; parts.length > 0;) {
    const listed = await pMap(parts, (part) => listingOf(ledger, part), { concurrency: READS });
    yield* listed;
    parts = listed.flatMap(({ part, listing }) =>
      (listing?.rest ?? []).map((_range, index) => `${part}.${index}`),
    );
  }
}

/** What a listing says of directories, as the listings of all releases do. */
export async function listedDirectories(
  ledger: Ledger,
  range: ListRange | undefined,
  onDamage: OnDamage,
): Promise<DirectoryLine[]> {
  if (!range) return [];
  try {
    const lines = await ledger.readLines(range);
    return lines.flatMap((value) => {
      const { success, data } = directoryLine.safeParse(value);
      if (!success) onDamage(range.list, `a line of it is damaged: ${JSON.stringify(value).slice(0, 300)}`);
      return success ? [data] : [];
    });
  } catch (error) {
    if (!(error instanceof DamagedRecord) && classify(error) !== "missing") throw error;
    onDamage(range.list, "the record of directories is damaged or missing");
    return [];
  }
}
