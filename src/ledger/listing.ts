import { z } from "zod";
import type { Tally } from "../model/outcome.ts";
import { Recent } from "../model/recent.ts";
import { container, exclude, include, prefix, root } from "../model/request-fields.ts";
import { listRange, readVersioned, tally } from "./damaged.ts";
import { linesAt, type Ledger, type Lines, type ListRange } from "./ledger.ts";
import { listingName } from "./names.ts";

/** Some files of a list, to be copied by one activity. */
export interface Batch extends Lines {
  files: number;
  /** Bytes of content when it was listed. */
  bytes: number;
}

/** A batch as an orchestration is given it: no more than it hands on. */
export function linesOf({ list, offset, length, sha256 }: Batch): Lines {
  return { list, offset, length, sha256 };
}

/** How the old content of what is overwritten is kept. */
export type Keep = "snapshots" | "versions" | "nothing";

/** What a backup covers, and where it goes. */
export interface Covered {
  root: string;
  container: string;
  prefix: string;
  include: string[];
  exclude: string[];
}

/**
 * What the listing of one part of the tree came to. Written once as `lists/{part}.json`, for whoever reads the run later: the
 * run itself goes by what its orchestration hands on.
 */
export interface Listing {
  version: 1;
  request: Covered;
  /** The root with every link in it followed. */
  realRoot: string;
  /** Nothing was below the prefix when the run began: no blob can be overwritten. */
  fresh: boolean;
  keep: Keep;
  /** What was settled while listing: unchanged, skipped, failed. */
  found: Tally;
  batches: Batch[];
  /** Files that are copied by ranges, each range one line. */
  large: Lines[];
  /** Files and bytes in the batches and large files together. */
  toCopy: { files: number; bytes: number };
  /** Directories that are not empty, with mode, time of change, and which they were; absent where there are none. */
  directories?: ListRange;
  /** The machine that read them, for the numbers of file systems that stand in their lines. */
  machine?: string;
  /** What is left to walk, each range for one sub-orchestration. */
  rest: Lines[];
  /** Why nothing could be listed at all, for people: the root is missing, not a directory, not readable. */
  problem?: string;
}

/** The most parts that one listing leaves: with 64 batches the history of an orchestration stays under 500 events. */
export const MAX_PARTS = 32;

/** One part of the tree. "0" is the whole tree, "0.3" the fourth part it was cut into. */
export interface PartRef {
  run: string;
  part: string;
}

/** One batch of one part, as an activity is given it. */
export interface BatchRef extends PartRef {
  batch: number;
  lines: Lines;
}

const schema = z.looseObject({
  version: z.literal(1),
  request: z.looseObject({ root, container, prefix, include, exclude }),
  realRoot: z.string(),
  fresh: z.boolean(),
  keep: z.enum(["snapshots", "versions", "nothing"]),
  found: tally,
  batches: z.array(listRange),
  large: z.array(listRange),
  rest: z.array(listRange),
});

/** Listings already read, by run and part: they are written once and never change. */
const recent = new Recent<Listing>(32);

/** The pieces of a list, each as a range of its own. */
export function rangesOf(list: string, pieces: readonly string[]): Lines[] {
  let offset = 0;
  return pieces.map((text) => {
    const lines = linesAt(list, offset, text);
    offset += lines.length;
    return lines;
  });
}

/** The listing of a part, or undefined when it was not listed yet. */
export async function readListing(ledger: Ledger, part: string): Promise<Listing | undefined> {
  return await recent.get(`${ledger.runId}/${part}`, () => readListingNow(ledger, part));
}

/** The same of a run that a prune may have deleted since this process read it. */
export async function readListingNow(ledger: Ledger, part: string): Promise<Listing | undefined> {
  const text = await ledger.read(listingName(part));
  return text === undefined
    ? undefined
    : readVersioned<Listing>(text, schema, ledger.runId, listingName(part));
}

/**
 * Writes the listing of a part, unless there is one.
 * @returns that one: another delivery of the activity wrote it, or someone else
 */
export async function settleListing(
  ledger: Ledger,
  part: string,
  listing: Listing,
): Promise<Listing | undefined> {
  const { toCopy, rest } = listing;
  // In metadata, so that a run's progress is one list call.
  const metadata = { files: String(toCopy.files), bytes: String(toCopy.bytes), rest: String(rest.length) };
  const { won } = await ledger.writeOnce(listingName(part), JSON.stringify(listing), metadata);
  return won ? undefined : await readListingNow(ledger, part);
}
