import type { Page } from "../client/answers.ts";
import type { Interruption } from "./interruption.ts";

/** The largest page to ask the app for. */
const PAGE = 5000;

/** The items of a list over all its pages, up to the limit. */
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
