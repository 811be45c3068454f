import * as df from "durable-functions";
import { emptyTally, sum, type Tally } from "../model/outcome.ts";
import { assertHandedOut } from "../orchestration/handed-out.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf } from "../orchestration/settle.ts";
import { LANES } from "../ledger/cut.ts";
import type { LargeRef } from "../ledger/parts.ts";
import type { VerifyScope } from "../verify/verify-scope.ts";
import type { Reading, SpanVerified } from "../verify/verify-span.ts";

/** Spans that one history is about; then the orchestration begins anew with the next one. */
const SPANS_A_HISTORY = 32;

/** The large files of a lane, one after the other: its input at first, then what one history hands to the next. */
export interface LargeVerifications extends LargeRef, VerifyScope {
  reading?: Reading;
  /** What came of the files before. */
  tally?: Tally;
}

/**
 * Reads large files back, each by one activity after the other, for a hash is a chain and no activity may last as long
 * as a huge file takes. Returns the files' tally.
 */
df.app.orchestration("verifyLargeFiles", function* (context) {
  assertHandedOut(context);
  const {
    reading: before,
    tally: sofar = emptyTally(),
    ...input
  } = context.df.getInput<LargeVerifications>()!;
  let [ref, reading, tally] = [input, before, sofar];
  for (let span = 0; span < SPANS_A_HISTORY; span++) {
    let result: SpanVerified;
    try {
      result = yield context.df.callActivityWithRetry("verifySpan", retry, { ...ref, reading });
    } catch (error) {
      const lost = { ...ref, reason: reasonOf(error) };
      result = { settled: yield context.df.callActivityWithRetry("failLargeVerify", retry, lost) };
    }
    if (result === "none") return tally;
    if ("reading" in result) {
      reading = result.reading;
      continue;
    }
    tally = sum([tally, result.settled]);
    ref = { ...ref, large: ref.large + LANES };
    reading = undefined;
  }
  context.df.continueAsNew({ ...ref, reading, tally } satisfies LargeVerifications);
  return undefined;
});
