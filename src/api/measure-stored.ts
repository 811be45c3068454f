import { z } from "zod";
import { layoutOf } from "../ledger/claim.ts";
import type { Services } from "../services.ts";
import { classify } from "../storage/errors.ts";
import type { Amount } from "../store/measuring.ts";
import { openStore } from "../store/open-store.ts";
import { BadContinuation, fromToken, toToken } from "./pages.ts";
import type { StoredQuery } from "./query-schema.ts";
import type { StoredPage } from "./schema.ts";

/** Where a page ended. */
const place = z.object({ container: z.string(), prefix: z.string(), next: z.string() });

/** The most list calls for an answer, and the milliseconds after which it is given. */
const PAGES = 20;
const ENOUGH_MS = 20_000;

/**
 * Measures what lies in a destination, as far as it gets in a bounded time.
 * @throws BadContinuation
 */
export async function measureStored(
  { storage, settings }: Services,
  { container, prefix, continuation }: StoredQuery,
): Promise<StoredPage> {
  const from = continuation === undefined ? undefined : fromToken(place, continuation);
  if (from && (from.container !== container || from.prefix !== prefix)) throw new BadContinuation();
  const page: StoredPage = { container, prefix, current: nothing(), old: nothing(), others: nothing() };
  const until = performance.now() + ENOUGH_MS;
  let pages = 0;
  try {
    const layout = (await layoutOf(storage, { container, prefix })) ?? "files";
    const store = openStore({ container, prefix, layout }, storage, settings);
    for await (const { stored, next } of store.stored(from?.next)) {
      for (const part of ["current", "old", "others"] as const) add(page[part], stored[part]);
      if (next !== undefined && (++pages === PAGES || performance.now() > until))
        return { ...page, continuation: toToken({ container, prefix, next }) };
    }
    return page;
  } catch (error) {
    if (from && pages === 0 && classify(error) === "invalid") throw new BadContinuation();
    throw error;
  }
}

function nothing(): Amount {
  return { blobs: 0, bytes: 0 };
}

function add(sum: Amount, { blobs, bytes }: Amount): void {
  sum.blobs += blobs;
  sum.bytes += bytes;
}
