import * as df from "durable-functions";
import { emptyTally, sum, type Tally } from "../backup/outcome.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf } from "../orchestration/settle.ts";
import type { LargeRef } from "../restore/plan.ts";
import type { Reading, SpanVerified } from "../verify/verify-span.ts";

/** Spans that one history is about; then the orchestration begins anew with the next one. */
const SPANS_A_HISTORY = 32;

/** Every `step`th large file of a part, one after the other: its input at first, then what one history hands to the next. */
export interface LargeVerifications extends LargeRef {
  step: number;
  reading?: Reading;
  /** What came of the files before. */
  tally?: Tally;
}

/**
 * Reads large files back, each by one activity after the other, for a hash is a chain and no activity may last as long
 * as a huge file takes. Returns the files' tally.
 */
df.app.orchestration("verifyLargeFiles", function* (context) {
  const input = context.df.getInput<LargeVerifications>()!;
  const { run, part, step } = input;
  let { large, reading, tally = emptyTally() } = input;
  for (let span = 0; span < SPANS_A_HISTORY; span++) {
    let result: SpanVerified;
    try {
      result = yield context.df.callActivityWithRetry("verifySpan", retry, { run, part, large, reading });
    } catch (error) {
      const lost = { run, part, large, reason: reasonOf(error) };
      result = { settled: yield context.df.callActivityWithRetry("failLargeVerify", retry, lost) };
    }
    if (result === "none") return tally;
    if ("reading" in result) {
      reading = result.reading;
      continue;
    }
    tally = sum([tally, result.settled]);
    large += step;
    reading = undefined;
  }
  context.df.continueAsNew({ run, part, large, step, reading, tally } satisfies LargeVerifications);
  return undefined;
});
