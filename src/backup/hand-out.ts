import type { Lines } from "../ledger/ledger.ts";
import type { BatchRef, Listing } from "../ledger/listing.ts";
import type { CopyScope } from "./copy-scope.ts";
import type { LargeFileRef } from "./large-file/plan.ts";
import type { ListInput } from "./list-files.ts";

/** What an orchestration knows of a listing: where the lists are that it hands out, and where its files are. */
export interface Listed extends Pick<Listing, "realRoot" | "fresh" | "keep"> {
  batches: readonly Lines[];
  large: readonly Lines[];
  rest: readonly Lines[];
}

/**
 * What activities and sub-orchestrations are given of a listing: some lines of a list, and where these may be read and
 * written. All of it comes from the request and the listing's own result, through the history.
 */
export function handOut({ run, part, request }: ListInput, { batches, large, rest, ...listed }: Listed) {
  const { root, container, prefix } = request;
  const { realRoot, fresh, keep } = listed;
  const scope: CopyScope = { root, realRoot, container, prefix, keep };
  return {
    batches: batches.map((lines, batch): BatchRef & CopyScope => ({ run, part, batch, lines, ...scope })),
    large: large.map((line, number): LargeFileRef => ({ run, part, large: number, line, ...scope })),
    parts: rest.map((lines, number): ListInput => ({
      run,
      part: `${part}.${number}`,
      request,
      left: { realRoot, fresh, keep, lines },
    })),
  };
}
