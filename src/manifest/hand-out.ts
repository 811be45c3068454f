import type { Lines } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import type { LargeRef, PlanBase, PlanInput } from "./plan.ts";

/** What an orchestration knows of a plan: where the lists are that it hands out, and where their contents and files are. */
export interface Planned extends Pick<PlanBase<unknown>, "source" | "realTo"> {
  batches: readonly Lines[];
  large: readonly Lines[];
  rest: readonly Lines[];
}

/**
 * What activities and sub-orchestrations are given of a plan: some lines of a list, and where these may be read and written.
 * All of it comes from the request and the plan's own result, through the history.
 */
export function handOut<Request, Scope>(
  { run, part, request }: PlanInput<Request>,
  { source, realTo, batches, large, rest }: Planned,
  scope: Scope,
) {
  return {
    batches: batches.map((lines, batch): BatchRef & Scope => ({ run, part, batch, lines, ...scope })),
    lanes: large.map((lines, lane): LargeRef & Scope => ({ run, part, large: lane, lines, ...scope })),
    parts: rest.map((lines, number): PlanInput<Request> => ({
      run,
      part: `${part}.${number}`,
      request,
      left: { source, realTo, lines },
    })),
  };
}
