import { linesAt } from "./ledger.ts";
import type { Batch } from "./listing.ts";

/** The most activities that one orchestration fans out; with it the history stays under 500 events. */
export const MAX_BATCHES = 64;

const KIB = 1024;
const MIB = 1024 * KIB;
/** What a file costs beside its bytes, in bytes: about what a request takes of the time that sending takes. */
export const FILE_COST = 64 * KIB;
/**
 * What an activity is worth: 128 small files, some tenths of a second to a second of work, where the real engine takes
 * 20 to 25 ms for each activity, one after another.
 */
const WORTH_AN_ACTIVITY = 8 * MIB;
/** What the batches of an orchestration may cost on average, so that an activity ends in time on a slow line as well. */
export const MOST_A_BATCH = 64 * MIB;

/** What copying a file, restoring it or reading it back costs, in bytes sent. */
export function costOf({ size }: { size: number }): number {
  return size + FILE_COST;
}

/** Divides files into those that so many batches may take, at least one, and those left for another orchestration. */
export function take<T extends { size: number }>(
  files: readonly T[],
  batches: number,
): { now: T[]; later: T[] } {
  const most = batches * MOST_A_BATCH;
  let cost = 0;
  const taken = files.findIndex((file, index) => {
    cost += costOf(file);
    return index > 0 && cost > most;
  });
  const end = taken === -1 ? files.length : taken;
  return { now: files.slice(0, end), later: files.slice(end) };
}

/**
 * Cuts a list into batches of nearly equal cost: as many as it is worth, so that small trees cost few activities, and
 * large ones spread over machines.
 * @param lines the files as JSON lines, each with its newline; the batches are byte ranges of them joined
 * @param limit the most batches, where large files take up part of the fan-out
 */
export function cut(
  list: string,
  files: readonly { size: number }[],
  lines: readonly string[],
  limit = MAX_BATCHES,
): Batch[] {
  const total = files.reduce((sum, file) => sum + costOf(file), 0);
  const most = Math.min(limit, Math.max(1, Math.floor(total / WORTH_AN_ACTIVITY)), files.length);

  const batches: Batch[] = [];
  let offset = 0;
  let first = 0;
  let bytes = 0;
  let spent = 0;
  files.forEach((file, index) => {
    bytes += file.size;
    spent += costOf(file);
    const left = files.length - index - 1;
    const batchesLeft = most - batches.length - 1;
    // Close the batch when its share of the total is reached, or when each file left needs a batch of its own.
    if (
      left === 0 ||
      left === batchesLeft ||
      (batchesLeft > 0 && spent >= (total * (batches.length + 1)) / most)
    ) {
      const next = index + 1;
      const batch = linesAt(list, offset, lines.slice(first, next).join(""));
      batches.push({ ...batch, files: next - first, bytes });
      offset += batch.length;
      first = next;
      bytes = 0;
    }
  });
  return batches;
}
