import { HOLDING_A_FILE_MS } from "../../files/handles.ts";
import type { Budget } from "../../storage/budget.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { retrying } from "../../storage/retries.ts";
import type { Source } from "../../model/source.ts";

/** A content to fetch. */
export interface Fetched {
  requests: GetBlobRequests;
  /** The blob's name. */
  name: string;
  source: Source;
}

/** Larger content is fetched in ranges of this size. */
const RANGE = 8 * 1024 * 1024;
/** Ranges of one file fetched at a time. */
const RANGES_AT_A_TIME = 4;

/**
 * Fetches a content from a position on, a few ranges at a time, and passes them on in order. A range that fails is fetched
 * again, under the ETag of the content that was found.
 * @param span `more` is asked before each range but the first whether to continue
 * @param take is called with each range in order; the buffer is reused once its promise settles
 * @returns the position reached: the content's length, unless `more` ended it earlier
 * @throws the first storage error, once nothing is in flight
 */
export async function downloadFrom(
  content: Fetched,
  budget: Budget,
  { from, more }: { from: number; more: (position: number) => boolean },
  take: (content: Buffer, position: number) => Promise<void>,
): Promise<number> {
  const { requests, name, source } = content;
  const inFlight = new Set<Promise<void>>();
  let failed = false;
  let failure: unknown;
  let before = Promise.resolve();
  let position = from;
  while (position < source.length && !failed) {
    if (position > from && !more(position)) break;
    const start = position;
    const length = Math.min(RANGE, source.length - start);
    position += length;
    const previous = before;
    // Memory is granted in the order of requests, so the range that all others wait for always has its own.
    const piece = budget
      .content(length, async (buffer) => {
        if (failed) return;
        await budget.request(() =>
          retrying(
            (timeout) => requests.read({ ...source, name }, start, buffer, timeout),
            length,
            HOLDING_A_FILE_MS,
          ),
        );
        await previous;
        if (failed) return;
        await take(buffer, start);
      })
      .catch((error: unknown) => {
        failure ??= error;
        failed = true;
      })
      .finally(() => inFlight.delete(piece));
    before = piece;
    inFlight.add(piece);
    while (inFlight.size >= RANGES_AT_A_TIME) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  if (failed) throw failure;
  return position;
}
