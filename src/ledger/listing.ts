import { z } from "zod";
import { LAYOUTS, type Layout } from "../model/names.ts";
import { container, exclude, include, prefix, root, type CompareWith } from "../model/request-fields.ts";
import type { Ledger, ListRange } from "./ledger.ts";
import { partRecord, readPart, readPartNow, type PartRecord } from "./part-record.ts";
import { listRange } from "./schemas.ts";

/** How the old content of overwritten blobs is kept. */
export type Keep = "snapshots" | "versions" | "nothing";

/** What a backup covers, and its destination. */
export interface Covered {
  root: string;
  container: string;
  prefix: string;
  include: string[];
  exclude: string[];
}

/** What a backup found at its destination when it began. Only the layout reads it; all others pass it on. */
export interface Basis {
  /** Nothing was below the prefix: no blob can be overwritten. */
  fresh: boolean;
  keep: Keep;
  /** The run whose record stands for a listing of the destination. */
  base?: string;
  /** Runs after it that did not end well, the newest first: what they stored is there too. */
  later?: string[];
}

/** What all parts of a backup have in common. */
export interface ListingOwn extends Basis {
  /** The root with all links resolved. */
  realRoot: string;
  /** Absent in records of older releases, which knew only `files`. */
  layout: Layout;
}

/** The record of a backup's part. */
export interface Listing extends PartRecord, ListingOwn {
  /** `compareWith` is absent in records of older releases. */
  request: Covered & { compareWith?: CompareWith };
  /** The directories that it knows, and which of them it read itself; absent if there are none. See DirectoryLine. */
  directories?: ListRange;
  /** The machine that read them: the device numbers in their lines mean something only there. */
  machine?: string;
}

export const listingRecord = partRecord.extend({
  request: z.looseObject({ root, container, prefix, include, exclude }),
  realRoot: z.string(),
  layout: z.enum(LAYOUTS).optional(),
  fresh: z.boolean(),
  keep: z.enum(["snapshots", "versions", "nothing"]),
  directories: listRange.optional(),
});

/** The listing of a part, or undefined if it is not listed yet; see readPart. */
export async function readListing(ledger: Ledger, part: string): Promise<Listing | undefined> {
  return await readPart<Listing>(ledger, part, listingRecord);
}

/** The same, not from the cache: a prune may have deleted the run since this process read it. */
export async function readListingNow(ledger: Ledger, part: string): Promise<Listing | undefined> {
  return await readPartNow<Listing>(ledger, part, listingRecord);
}
