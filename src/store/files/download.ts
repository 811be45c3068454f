import { HOLDING_A_FILE_MS } from "../../files/errors.ts";
import type { Source } from "../../model/content.ts";
import type { Budget } from "../../storage/budget.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { retrying } from "../../storage/retries.ts";
import type { Take } from "../fetching.ts";
import { inOrder } from "../in-order.ts";

/** Larger content is fetched in ranges of this size. */
const RANGE = 8 * 1024 * 1024;
/** Concurrent fetches of one file's ranges. */
const RANGES_AT_A_TIME = 4;

/** What to fetch: from a position on, as long as there is `more`, which is asked before each range but the first. */
interface Span {
  from: number;
  more: (position: number) => boolean;
}

/**
 * Fetches a content, a few ranges at a time, and passes them on in order. A range that fails is fetched again, under the ETag
 * of the content that was found.
 * @throws the first storage error, once nothing is in flight
 */
export async function download(
  content: Source & { name: string },
  span: Span,
  { requests, budget }: { requests: GetBlobRequests; budget: Budget },
  take: Take,
): Promise<void> {
  await inOrder(rangesOf(content, span), RANGES_AT_A_TIME, async ({ start, length }, turn) => {
    // Memory is granted in the order of requests, so the range that all others wait for always has its own.
    await budget.content(length, async (buffer) => {
      await budget.request(() =>
        retrying((timeout) => requests.read(content, start, buffer, timeout), length, HOLDING_A_FILE_MS),
      );
      if (await turn()) await take(buffer, start);
    });
  });
}

function* rangesOf({ length: end }: Source, { from, more }: Span) {
  for (let start = from; start < end; start += RANGE) {
    if (start > from && !more(start)) return;
    yield { start, length: Math.min(RANGE, end - start) };
  }
}
