import type { OrchestrationContext } from "durable-functions";
import { emptyTally, type Tally } from "../model/outcome.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { settleAll, type Settled } from "./settle.ts";

/**
 * The tallies of a fan-out: of its batches first, then of its sub-orchestrations. A batch that could not be tried at
 * all, however often, costs its own files and no others: they are recorded as failed.
 */
export function* tallyResults(
  context: OrchestrationContext,
  batches: readonly BatchRef[],
  results: readonly Settled<Tally>[],
) {
  const tallies: Tally[] = [];
  const lost: (BatchRef & { reason: string })[] = [];
  results.forEach((result, index) => {
    const batch = batches[index];
    if ("value" in result) tallies.push(result.value);
    else if (batch) lost.push({ ...batch, reason: result.error });
    else tallies.push({ ...emptyTally(), stopped: result.error });
  });
  const recorded = yield* settleAll<Tally>(
    context,
    lost.map((input) => context.df.callActivity("failBatch", input)),
  );
  return [
    ...tallies,
    ...recorded.map((it) => ("value" in it ? it.value : { ...emptyTally(), stopped: it.error })),
  ];
}
