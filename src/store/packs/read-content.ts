import type { ManifestItem } from "../../manifest/line.ts";
import type { PlannedItem } from "../../manifest/plan-record.ts";
import type { Budget } from "../../storage/budget.ts";
import type { ByteRange, Take } from "../fetching.ts";
import { inOrder } from "../in-order.ts";
import type { At } from "./format.ts";
import { locationOf } from "./ranges.ts";
import { readChunk } from "./read-chunk.ts";
import { PackReader, UNCOUNTED } from "./read-pack.ts";
import { decodeRecipe, type Placed } from "./recipe.ts";

/** Concurrent fetches of one file's chunks. */
const CHUNKS_AT_A_TIME = 4;
const ALL: Span = { from: 0, more: () => true };

/** What is read of a content: all of it, or what follows a position where a chunk begins, as long as there is `more`. */
interface Span {
  from: number;
  /** Asked before each chunk but the first. */
  more: (position: number) => boolean;
}

/**
 * Reads a content, and checks each byte before it is passed on.
 * @param content fetches what lies in the pack
 * @returns the position reached
 * @throws Lost, Corrupt; what `take` throws; storage errors, after retries
 */
export async function readContent(
  at: At,
  item: ManifestItem,
  { content, span = ALL }: { content: () => Promise<Buffer>; span?: Span },
  budget: Budget,
  take: Take,
): Promise<number> {
  const { size, recipe } = locationOf(item);
  // For the frame, too, where it is fetched by itself.
  const chunks = await budget.bytes(2 * size, async () => {
    const bytes = await content();
    if (recipe) return decodeRecipe(bytes, item.size);
    await take(bytes, 0);
    return undefined;
  });
  return chunks ? await readChunks(at, chunks, span, budget, take) : size;
}

async function readChunks(
  at: At,
  chunks: Iterable<Placed>,
  span: Span,
  budget: Budget,
  take: Take,
): Promise<number> {
  let position = span.from;
  await inOrder(chunksOf(chunks, span), CHUNKS_AT_A_TIME, async (chunk, turn) => {
    // Memory is granted in the order of requests, so the chunk that all others wait for always has its own.
    await budget.bytes(2 * chunk.length, async () => {
      const content = await readChunk(at, chunk, budget);
      if (!(await turn())) return;
      await take(content, chunk.start);
      position = chunk.start + chunk.length;
    });
  });
  return position;
}

function* chunksOf(chunks: Iterable<Placed>, { from, more }: Span): Generator<Placed, void> {
  for (const chunk of chunks) {
    if (chunk.start < from) continue;
    if (chunk.start > from && !more(chunk.start)) return;
    yield chunk;
  }
}

/**
 * Reads a content chunk by chunk, one ahead of the reader; see Fetching. Not charged to the budget, so that a slow reader
 * cannot block a backup.
 */
export async function* streamContent(
  at: At,
  item: PlannedItem,
  part?: ByteRange,
): AsyncGenerator<Buffer, void> {
  const { from, to } = part ?? { from: 0, to: item.source.length };
  const packed = locationOf(item);
  const content = await new PackReader(at).content(packed, UNCOUNTED);
  if (!packed.recipe) {
    if (from < to) yield content.subarray(from, to);
    return;
  }
  const chunks = overlapping(decodeRecipe(content, item.size), { from, to });
  const fetchNext = () => {
    const chunk = chunks.next().value;
    if (!chunk) return undefined;
    const reading = readChunk(at, chunk, UNCOUNTED);
    // It may fail when nothing awaits it any more.
    reading.catch(() => undefined);
    return { start: chunk.start, reading };
  };
  let next = fetchNext();
  while (next) {
    const { start, reading } = next;
    const bytes = await reading;
    next = fetchNext();
    yield bytes.subarray(Math.max(0, from - start), to - start);
  }
}

function* overlapping(chunks: Iterable<Placed>, { from, to }: ByteRange): Generator<Placed, void> {
  for (const chunk of chunks) if (chunk.start < to && chunk.start + chunk.length > from) yield chunk;
}
