import { createHash } from "node:crypto";
import type { PlannedItem } from "../../manifest/plan-record.ts";
import { digestOf, resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import { retrying } from "../../storage/retries.ts";
import type { ByteRange, Reached, Take } from "../fetching.ts";
import { blobName } from "./blob-name.ts";
import { foundAgain } from "./found-again.ts";
import { assertIntact, readOn, type Reading } from "./read-content.ts";

/** Bytes per request. */
const PIECE = 2 * 1024 * 1024;
/** Yielded for each piece that was only verified, so that the caller can give up in between. */
const NOTHING = Buffer.alloc(0);
/** The most bytes of a span, which are fetched again after a kill. */
const SPAN = 128 * 1024 * 1024;

/**
 * Reads a content piece by piece, one ahead of the reader; see Fetching. Not charged to the budget, so that a slow reader
 * cannot block a backup.
 */
export async function* streamContent(
  item: PlannedItem,
  reading: Omit<Reading, "budget">,
  part?: ByteRange,
): AsyncGenerator<Buffer, void> {
  // Content found without its hash may be another one: verify all of it before passing anything on.
  if (item.source.unhashed) for await (const _piece of pieces(item, reading)) yield NOTHING;
  yield* pieces(item, reading, part);
}

async function* pieces(
  item: PlannedItem,
  reading: Omit<Reading, "budget">,
  part?: ByteRange,
): AsyncGenerator<Buffer, void> {
  let { source } = item;
  const { from, to } = part ?? { from: 0, to: source.length };
  const name = blobName(item.path, reading.prefix);
  let moves = 0;
  const fetch = async (position: number): Promise<Buffer> => {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, to - position));
    for (;;) {
      const at = { ...source, name };
      try {
        await retrying((timeout) => reading.requests.read(at, position, piece, timeout), piece.length);
        return piece;
      } catch (error) {
        source = await foundAgain(item, error, moves++, reading);
        if (source.unhashed && !item.source.unhashed) throw error;
      }
    }
  };

  const hash = createHash("md5");
  let last: Buffer | undefined;
  let next = from < to ? fetch(from) : undefined;
  for (let position = from; next;) {
    const piece = await next;
    position += piece.length;
    next = position < to ? fetch(position) : undefined;
    // It may fail when nothing awaits it any more.
    next?.catch(() => undefined);
    hash.update(piece);
    if (last) yield last;
    last = piece;
  }
  if (!part) assertIntact(item, hash.digest("base64"));
  if (last) yield last;
}

/** Reads a span of a large content; see Store. */
export async function readSpan(
  item: PlannedItem,
  { position: from, state, source = item.source }: Reached,
  until: number,
  reading: Reading,
  take: Take,
): Promise<Reached | undefined> {
  const hash = await resumeMd5(state);
  const more = (position: number) => position - from < SPAN && performance.now() < until;
  const reached = await readOn(item, { position: from, source }, { reading, hash, more }, take);
  if (reached.position < reached.source.length) return { ...reached, state: stateOf(hash) };
  assertIntact(item, digestOf(hash));
  return undefined;
}
