import type { OrchestrationContext, Task } from "durable-functions";
import type { BatchRef } from "../ledger/parts.ts";
import type { Tally } from "../model/outcome.ts";
import { settleAll, type Settled } from "./settle.ts";

/**
 * Records the files of each batch that failed as failed, and no others.
 * @param batches those that the first results belong to, in order
 * @returns the results, with what was recorded in place of a batch's error
 */
export function* withLostRecorded(
  context: OrchestrationContext,
  batches: readonly BatchRef[],
  results: Settled<Tally>[],
): Generator<Task, Settled<Tally>[], unknown> {
  const lost = batches.flatMap((batch, index) => {
    const result = results[index]!;
    return "error" in result ? [{ ...batch, reason: result.error }] : [];
  });
  const recorded = yield* settleAll<Tally>(
    context,
    lost.map((batch) => context.df.callActivity("failBatch", batch)),
  );
  return [...results.filter((result, index) => "value" in result || index >= batches.length), ...recorded];
}
