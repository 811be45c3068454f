import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { listFiles, type ListInput } from "../backup/list-files.ts";
import type { LargeFileRef } from "../backup/large-file/plan.ts";
import type { Tally } from "../backup/outcome.ts";
import type { BatchRef, PartRef } from "../ledger/listing.ts";
import { listingOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../logging/log-tally.ts";
import { services } from "../services.ts";

/** What the orchestrator needs of a listing: names of batches and parts. The lists themselves are in the ledger. */
export interface FileList {
  found: Tally;
  batches: BatchRef[];
  large: LargeFileRef[];
  rest: PartRef[];
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
    return {
      found: listing.found,
      batches: listing.batches.map((_batch, batch) => ({ run, part, batch })),
      large: listing.large.map((_range, large) => ({ run, part, large })),
      rest: listing.rest.map((_range, number) => ({ run, part: `${part}.${number}` })),
      files: listing.toCopy.files,
      bytes: listing.toCopy.bytes,
      ...(listing.problem === undefined ? {} : { problem: listing.problem }),
    };
  },
});
