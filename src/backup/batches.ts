import { linesAt } from "../ledger/ledger.ts";
import type { Batch } from "../ledger/listing.ts";
import type { Entry } from "./entry.ts";

/** The most activities that one orchestration fans out; with it the history stays under 500 events. */
export const MAX_BATCHES = 64;
/** What a file costs beside its bytes, in bytes: about what a request takes of the time that sending takes. */
const FILE_COST = 64 * 1024;
/** In parts of a big tree a batch is worth an activity from this cost on: 128 small files. */
const MIN_BATCH_COST = 128 * FILE_COST;

/**
 * Cuts a list into batches of nearly equal cost. Up to 64 entries each is a batch of its own: the shape of the
 * documentation's sample. The whole tree is cut into 64 whatever its size, so that it spreads over machines; a part of
 * a bigger tree only as far as it pays.
 * @param lines the entries as JSON lines, each with its newline; the batches are byte ranges of them joined
 * @param limit the most batches, where large files take up part of the fan-out
 */
export function cut(
  list: string,
  entries: readonly Entry[],
  lines: readonly string[],
  wholeTree: boolean,
  limit = MAX_BATCHES,
): Batch[] {
  const cost = (entry: Entry): number => entry.size + FILE_COST;
  const total = entries.reduce((sum, entry) => sum + cost(entry), 0);
  const wanted = wholeTree ? MAX_BATCHES : Math.ceil(total / MIN_BATCH_COST);
  const most = Math.max(1, Math.min(limit, wanted, entries.length));

  const batches: Batch[] = [];
  let offset = 0;
  let first = 0;
  let bytes = 0;
  let spent = 0;
  entries.forEach((entry, index) => {
    bytes += entry.size;
    spent += cost(entry);
    const left = entries.length - index - 1;
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
