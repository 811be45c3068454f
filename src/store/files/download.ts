import { HOLDING_A_FILE_MS } from "../../files/handles.ts";
import type { Budget } from "../../storage/budget.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { retrying } from "../../storage/retries.ts";
import { inOrder } from "../in-order.ts";
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
  span: Span,
  take: (content: Buffer, position: number) => Promise<void>,
): Promise<number> {
  const { requests, name, source } = content;
  let reached = span.from;
  await inOrder(rangesOf(source, span), RANGES_AT_A_TIME, async ({ start, length }, turn) => {
    // Memory is granted in the order of requests, so the range that all others wait for always has its own.
    await budget.content(length, async (buffer) => {
      await budget.request(() =>
        retrying(
          (timeout) => requests.read({ ...source, name }, start, buffer, timeout),
          length,
          HOLDING_A_FILE_MS,
        ),
      );
      if (!(await turn())) return;
      await take(buffer, start);
      reached = start + length;
    });
  });
  return reached;
}

/** What is fetched from a position on, as long as there is more to be. */
interface Span {
  from: number;
  more: (position: number) => boolean;
}

function* rangesOf(
  { length: end }: Source,
  { from, more }: Span,
): Generator<{ start: number; length: number }, void> {
  for (let start = from; start < end; start += RANGE) {
    if (start > from && !more(start)) return;
    yield { start, length: Math.min(RANGE, end - start) };
  }
}
