import type { Lines } from "../ledger/ledger.ts";
import { linesOf, type Listing } from "../ledger/listing.ts";
import type { Tally } from "../model/outcome.ts";

/** What the orchestrator needs of a listing: where the batches and parts are. The lists themselves are in the ledger. */
export interface FileList extends Pick<Listing, "realRoot" | "fresh" | "keep"> {
  found: Tally;
  batches: Lines[];
  large: Lines[];
  rest: Lines[];
  /** Files and bytes that are to be copied. */
  files: number;
  bytes: number;
  problem?: string;
}

/** A listing as the orchestrator is given it. */
export function fileList(listing: Listing): FileList {
  const { realRoot, fresh, keep, found, batches, large, rest, toCopy, problem } = listing;
  return {
    realRoot,
    fresh,
    keep,
    found,
    batches: batches.map(linesOf),
    large,
    rest,
    ...toCopy,
    ...(problem === undefined ? {} : { problem }),
  };
}
