import * as df from "durable-functions";
import { emptyTally, sum, type Tally } from "../model/outcome.ts";
import { assertHandedOut } from "../orchestration/handed-out.ts";
import { retry } from "../orchestration/retry.ts";
import { reasonOf } from "../orchestration/settle.ts";
import type { LargeRestoreRef } from "../restore/large-file/attempt.ts";
import type { Begun } from "../restore/large-file/begin-and-end.ts";
import type { HashedRestored, RestoredPiece } from "../restore/large-file/restore-range.ts";
import { LANES } from "../ledger/cut.ts";

/** Attempts at a file whose blob is overwritten, or whose temporary file is removed, meanwhile. */
const ATTEMPTS = 3;
/** Ranges that are in the hands of activities at a time; then the orchestration begins anew with the next ones. */
const RANGES_A_WAVE = 32;

/** The large files of a lane, one after the other: its input at first, then what one wave hands to the next. */
export interface LargeRestores extends LargeRestoreRef {
  attempt?: number;
  /** The first range that is not written yet. */
  next?: number;
  /** The state of the whole file's hash before that range. */
  state?: string;
  /** What came of the files before. */
  tally?: Tally;
}

/**
 * Restores large files: of each the ranges in parallel activities, into one temporary file beside its place; what was
 * written is hashed as the waves go on, and the whole renamed once its hash is right. Returns the files' tally.
 */
df.app.orchestration("restoreLargeFiles", function* (context) {
  assertHandedOut(context);
  const { attempt, next, state, tally = emptyTally(), ...ref } = context.df.getInput<LargeRestores>()!;
  const again = (change: Partial<LargeRestores>) =>
    context.df.continueAsNew({ ...ref, tally, ...change } satisfies LargeRestores);
  let settled: Tally | "none" | "next wave" | "next attempt";
  try {
    settled = yield* wave(context, ref, { attempt, next, state }, again);
  } catch (error) {
    const lost = { ...ref, reason: reasonOf(error) };
    settled = (yield context.df.callActivityWithRetry("failLargeRestore", retry, lost)) as Tally;
  }
  if (settled === "none") return tally;
  if (typeof settled === "string") return undefined;
  again({ large: ref.large + LANES, tally: sum([tally, settled]) });
  return undefined;
});

function* wave(
  context: df.OrchestrationContext,
  file: LargeRestoreRef,
  { attempt = 1, next = 0, state }: Pick<LargeRestores, "attempt" | "next" | "state">,
  again: (change: Partial<LargeRestores>) => void,
) {
  const ref = { ...file, attempt };
  const begun: Begun = yield context.df.callActivityWithRetry("beginLargeRestore", retry, ref);
  if (begun === "none") return "none" as const;
  if ("settled" in begun) return begun.settled;

  const end = Math.min(next + RANGES_A_WAVE, begun.ranges);
  const ranges = Array.from({ length: end - next }, (_none, index) =>
    context.df.callActivityWithRetry("restoreRange", retry, { ...ref, range: next + index }),
  );
  const pieces: RestoredPiece[] = yield context.df.Task.all(ranges);
  let gone = pieces.includes("gone");
  if (pieces.every((piece) => piece === "done")) {
    const span = { ...ref, from: next * begun.range, to: Math.min(end * begun.range, begun.size), state };
    let hashed: HashedRestored = yield context.df.callActivityWithRetry("hashRestored", retry, span);
    while (hashed !== "gone" && hashed.reached !== undefined) {
      const { reached: from, state: reached } = hashed;
      hashed = yield context.df.callActivityWithRetry("hashRestored", retry, {
        ...span,
        from,
        state: reached,
      });
    }
    if (hashed !== "gone") {
      if (end < begun.ranges) {
        again({ attempt, next: end, state: hashed.state });
        return "next wave" as const;
      }
      const last = { ...ref, state: hashed.state };
      const ended: { settled: Tally } | "again" = yield context.df.callActivityWithRetry(
        "endLargeRestore",
        retry,
        last,
      );
      if (ended !== "again") return ended.settled;
    } else gone = true;
  }
  if (attempt < ATTEMPTS) {
    again({ attempt: attempt + 1 });
    return "next attempt" as const;
  }
  const reason = gone ? GONE : `corrupt, or overwritten while it was read, ${ATTEMPTS} times`;
  const lost: Tally = yield context.df.callActivityWithRetry("failLargeRestore", retry, { ...file, reason });
  return lost;
}

const GONE =
  "its temporary file was not where it had been made: where the app runs on several machines, restore into a share that " +
  "is mounted on all of them";
