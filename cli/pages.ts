import type { Page, Run } from "../client/answers.ts";
import type { Query } from "./api.ts";
import type { Interruption } from "./interruption.ts";
import type { Session } from "./session.ts";

/** The largest page to ask the app for. */
const PAGE = 5000;
/** The largest page of runs that the app returns. */
const RUNS_PAGE = 1000;

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

/** The runs that a query asks for, the newest first, up to the limit. */
export function allRuns(
  { api, interruption }: Pick<Session, "api" | "interruption">,
  query: Query,
  most = Infinity,
): AsyncGenerator<Run> {
  return allOf((page) => api.runs({ ...query, ...page }), interruption, most, RUNS_PAGE);
}
