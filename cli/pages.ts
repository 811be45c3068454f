import type { Page } from "../client/answers.ts";
import type { Interruption } from "./interruption.ts";

/** The most items that a page of the app's answers is asked for. */
const PAGE = 5000;

/**
 * What a list has, over all its pages, as far as it is wanted.
 * @param most items in all
 * @param page the most of one page
 * @throws Interrupted
 */
export async function* allOf<T>(
  next: (query: { limit: string; continuation: string | undefined }) => Promise<Page<T>>,
  interruption: Interruption,
  most = Infinity,
  page = PAGE,
): AsyncGenerator<T> {
  let left = most;
  let continuation: string | undefined;
  do {
    interruption.signal.throwIfAborted();
    const { items, ...more } = await next({ limit: String(Math.min(left, page)), continuation });
    yield* items;
    left -= items.length;
    ({ continuation } = more);
  } while (continuation !== undefined && left > 0);
}
