import * as df from "durable-functions";
import type { Attempt } from "../backup/large-file/begin-and-commit.ts";
import { RANGES_A_WAVE, type AttemptRef, type LargeFileRef } from "../backup/large-file/plan.ts";
import type { Tally } from "../backup/outcome.ts";
import { retry } from "../orchestration/retry.ts";
import type { RangeResult } from "./copyRange.ts";

/** Attempts at a file that changes while it is read. */
const ATTEMPTS = 3;

/** Where the copying of a large file stands: its input at first, then what one wave hands to the next. */
export interface LargeFileProgress extends LargeFileRef {
  attempt?: number;
  /** The first range that is not sent yet. */
  next?: number;
  /** The state of the whole file's hash before that range. */
  state?: string;
  /** Requests that storage throttled so far. */
  throttled?: number;
}

/**
 * Copies one large file: its ranges in parallel activities, then one commit. A wave of ranges at a time, each in a
 * history of its own, so that the history does not grow with the file. Returns the file's tally.
 */
df.app.orchestration("copyLargeFile", function* (context) {
  const progress = context.df.getInput<LargeFileProgress>()!;
  const { run, part, large, attempt = 1, next = 0 } = progress;
  const ref: AttemptRef = { run, part, large, attempt };

  const begun: Attempt | { settled: Tally } = yield context.df.callActivityWithRetry(
    "beginLargeFile",
    retry,
    ref,
  );
  if ("settled" in begun) return begun.settled;

  const end = Math.min(next + RANGES_A_WAVE, begun.ranges);
  const ranges = Array.from({ length: end - next }, (_none, index) =>
    context.df.callActivityWithRetry("copyRange", retry, { ...ref, range: next + index }),
  );
  const span = {
    ...ref,
    from: next * begun.range,
    to: Math.min(end * begun.range, begun.size),
    state: progress.state,
  };
  const hash = context.df.callActivityWithRetry("hashSpan", retry, span);
  const [hashed, ...sent]: [{ state: string } | "changed", ...RangeResult[]] = yield context.df.Task.all([
    hash,
    ...ranges,
  ]);
  const throttled = sent.reduce((sum, result) => sum + (result.throttled ?? 0), progress.throttled ?? 0);
  const told = throttled > 0 ? { throttled } : {};

  if (hashed !== "changed" && sent.every(({ piece }) => piece === "done")) {
    if (end < begun.ranges) {
      const { state } = hashed;
      context.df.continueAsNew({ ...ref, next: end, state, ...told } satisfies LargeFileProgress);
      return undefined;
    }
    const committed: { settled: Tally } | "changed" = yield context.df.callActivityWithRetry(
      "commitLargeFile",
      retry,
      {
        ...ref,
        state: hashed.state,
      },
    );
    if (committed !== "changed") return { ...committed.settled, ...told };
  }
  if (attempt < ATTEMPTS) {
    context.df.continueAsNew({
      run,
      part,
      large,
      attempt: attempt + 1,
      ...told,
    } satisfies LargeFileProgress);
    return undefined;
  }
  const tally: Tally = yield context.df.callActivityWithRetry("failLargeFile", retry, {
    ...ref,
    reason: `changed while reading, ${ATTEMPTS} times`,
  });
  return { ...tally, ...told };
});
