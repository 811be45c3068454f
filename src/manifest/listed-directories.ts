import pMap from "p-map";
import { DamagedRecord, NewerLedger, ofDamaged } from "../ledger/damaged.ts";
import { directoryLine, type DirectoryLine } from "../ledger/directories.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readListing } from "../ledger/listing.ts";
import { classify } from "../storage/errors.ts";
import type { OnDamage } from "./blob-piece.ts";

/** Listings that are read at a time. */
const READS = 16;

/** The parts of a run's listing that can be read, each before those that it left. */
export async function partsOf(ledger: Ledger): Promise<string[]> {
  const parts: string[] = [];
  for (let level = ["0"]; level.length > 0;) {
    parts.push(...level);
    const left = await pMap(
      level,
      async (part) => {
        const listing = await readListing(ledger, part).catch(ofUnreadable);
        return (listing?.rest ?? []).map((_range, index) => `${part}.${index}`);
      },
      { concurrency: READS },
    );
    level = left.flat();
  }
  return parts;
}

/**
 * What the listing of a part says of directories, as all releases have it. What is damaged in the listing itself is for
 * missingRecords to say.
 */
export async function listedDirectories(
  ledger: Ledger,
  part: string,
  onDamage: OnDamage,
): Promise<DirectoryLine[]> {
  const range = (await readListing(ledger, part).catch(ofUnreadable))?.directories;
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

/** One that cannot be read counts as missing; any other error is thrown on. */
function ofUnreadable(error: unknown): undefined {
  return error instanceof NewerLedger ? undefined : ofDamaged(error);
}
