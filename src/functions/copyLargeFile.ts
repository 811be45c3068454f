import * as df from "durable-functions";
import type { Attempt } from "../backup/large-file/begin-and-commit.ts";
import type { Compared, Comparing } from "../backup/large-file/compare.ts";
import type { HashedSpan } from "../backup/large-file/hash-span.ts";
import { RANGES_A_WAVE, type AttemptRef, type LargeFileRef } from "../backup/large-file/plan.ts";
import type { Tally } from "../model/outcome.ts";
import { assertHandedOut } from "../orchestration/handed-out.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf } from "../orchestration/settle.ts";
import type { RangeResult } from "../backup/large-file/copy-range.ts";

/** Attempts at a file that changes while it is read. */
const ATTEMPTS = 3;
/** Spans that are compared in one history; then the orchestration begins anew with the next one. */
const SPANS_A_HISTORY = 32;

/** Where the copying of a large file stands: its input at first, then what one wave hands to the next. */
export interface LargeFileProgress extends LargeFileRef {
  attempt?: number;
  /** How far it is compared with its blob, while that goes on. */
  comparing?: Comparing;
  /** The first range that is not sent yet. */
  next?: number;
  /** The state of the whole file's hash before that range. */
  state?: string;
  /** The state at the file's end, where comparing it has come there: then it is not hashed again. */
  whole?: string;
  /** Requests that storage throttled so far. */
  throttled?: number;
}

/**
 * Copies one large file: its ranges in parallel activities, then one commit. A wave of ranges at a time, each in a
 * history of its own, so that the history does not grow with the file. Where its content may be the blob's already, it
 * is compared first, and copied only if it differs. Returns the file's tally.
 */
df.app.orchestration("copyLargeFile", function* (context) {
  assertHandedOut(context);
  const progress = context.df.getInput<LargeFileProgress>()!;
  try {
    return yield* copy(context, progress);
  } catch (error) {
    const lost = { ...progress, reason: reasonOf(error) };
    return (yield context.df.callActivity("failLargeFile", lost)) as Tally;
  }
});

function* copy(context: df.OrchestrationContext, progress: LargeFileProgress) {
  const { comparing, next, state, throttled: before = 0, ...given } = progress;
  const { attempt = 1, whole: known, ...file } = given;
  const ref: AttemptRef = { ...file, attempt };
  let [throttled, whole] = [before, known];
  const told = () => (throttled > 0 ? { throttled } : {});
  const again = (change: Partial<LargeFileProgress>) =>
    context.df.continueAsNew({ ...ref, ...told(), ...change } satisfies LargeFileProgress);
  const begun: Attempt | { settled: Tally } = yield context.df.callActivityWithRetry(
    "beginLargeFile",
    retry,
    ref,
  );
  if ("settled" in begun) return begun.settled;

  let changed = false;
  if (begun.compare && whole === undefined) {
    const compared = yield* compare(context, ref, comparing);
    if (compared === "changed") changed = true;
    else if ("settled" in compared) return { ...compared.settled, ...told() };
    else if ("comparing" in compared) return again(compared);
    else whole = compared.differs;
  }
  if (!changed) {
    const wave = yield* copyWave(context, ref, begun, { next, state, whole });
    throttled += wave.throttled;
    if ("next" in wave) {
      return again({ next: wave.next, ...(whole === undefined ? { state: wave.state } : { whole }) });
    }
    if (wave.settled) return { ...wave.settled, ...told() };
  }
  if (attempt < ATTEMPTS) return again({ attempt: attempt + 1 });
  const tally: Tally = yield context.df.callActivityWithRetry("failLargeFile", retry, {
    ...ref,
    reason: `changed while reading, ${ATTEMPTS} times`,
  });
  return { ...tally, ...told() };
}

/** Compares the file with its blob, as far as one history goes. */
function* compare(context: df.OrchestrationContext, ref: AttemptRef, from: Comparing = { position: 0 }) {
  let compared: Compared = { comparing: from };
  for (let span = 0; span < SPANS_A_HISTORY; span++) {
    if (compared === "changed" || !("comparing" in compared)) break;
    const input: AttemptRef & Comparing = { ...ref, ...compared.comparing };
    compared = yield context.df.callActivityWithRetry("compareLargeFile", retry, input);
  }
  return compared;
}

/** What came of a wave: it was not the last one, or the file is settled; neither where the file has changed. */
type Wave = { throttled: number } & ({ next: number; state: string } | { settled?: Tally });

/** Sends the next ranges, and commits after the last. */
function* copyWave(
  context: df.OrchestrationContext,
  ref: AttemptRef,
  { size, range, ranges }: Attempt,
  { next = 0, state: before, whole }: Pick<LargeFileProgress, "next" | "state" | "whole">,
) {
  const end = Math.min(next + RANGES_A_WAVE, ranges);
  const sending = Array.from({ length: end - next }, (_none, index) =>
    context.df.callActivityWithRetry("copyRange", retry, { ...ref, range: next + index }),
  );
  const span = { ...ref, from: next * range, to: Math.min(end * range, size), state: before };
  const hashing = whole === undefined ? [context.df.callActivityWithRetry("hashSpan", retry, span)] : [];
  const done: unknown[] = yield context.df.Task.all([...hashing, ...sending]);
  const sent = done.slice(hashing.length) as RangeResult[];
  const throttled = sent.reduce((sum, result) => sum + (result.throttled ?? 0), 0);
  if (!sent.every(({ piece }) => piece === "done")) return { throttled } as Wave;

  let hashed = (whole === undefined ? done[0] : { state: whole }) as HashedSpan;
  while (hashed !== "changed" && hashed.reached !== undefined) {
    const { reached: from, state } = hashed;
    hashed = yield context.df.callActivityWithRetry("hashSpan", retry, { ...span, from, state });
  }
  if (hashed === "changed") return { throttled } as Wave;
  const { state } = hashed;
  if (end < ranges) return { throttled, next: end, state } as Wave;
  const committed: { settled: Tally } | "changed" = yield context.df.callActivityWithRetry(
    "commitLargeFile",
    retry,
    { ...ref, state },
  );
  return (committed === "changed" ? { throttled } : { throttled, ...committed }) as Wave;
}
