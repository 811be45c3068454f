import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { listFiles, type ListInput } from "../backup/list-files.ts";
import type { Tally } from "../model/outcome.ts";
import type { Lines } from "../ledger/ledger.ts";
import type { Listing } from "../ledger/listing.ts";
import { listingOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

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

/** Lists the tree, or a part of it, into the ledger. */
df.app.activity("getFileList", {
  handler: async (input: ListInput, context: InvocationContext): Promise<FileList> => {
    const { run, part } = input;
    const listing = await listFiles(input, services.storage, services.settings);
    const { files } = listing.toCopy;
    await logTally(context, "part.listed", { run, part, files }, listing.found, listingOutcomes(part));
    const { realRoot, fresh, keep, found, batches, large, rest } = listing;
    return {
      realRoot,
      fresh,
      keep,
      found,
      batches: batches.map(({ list, offset, length, sha256 }) => ({ list, offset, length, sha256 })),
      large,
      rest,
      files: listing.toCopy.files,
      bytes: listing.toCopy.bytes,
      ...(listing.problem === undefined ? {} : { problem: listing.problem }),
    };
  },
});
