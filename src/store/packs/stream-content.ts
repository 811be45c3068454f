import type { PlannedItem } from "../../manifest/planned-item.ts";
import type { Part } from "../fetching.ts";
import type { At } from "./format.ts";
import { locationOf } from "./located.ts";
import { readChunk } from "./read-chunk.ts";
import { PackReader, UNCOUNTED } from "./read-pack.ts";
import { decodeRecipe, type Placed } from "./recipe.ts";

/**
 * Reads a content chunk by chunk, one ahead of the reader; see Fetching. Not charged to the budget, so that a slow reader
 * cannot block a backup.
 */
export async function* streamContent(at: At, item: PlannedItem, part?: Part): AsyncGenerator<Buffer, void> {
  const { from, to } = part ?? { from: 0, to: item.source.length };
  const packed = locationOf(item);
  const content = await new PackReader(at).content(packed, UNCOUNTED);
  if (!packed.recipe) {
    if (from < to) yield content.subarray(from, to);
    return;
  }
  const chunks = within(decodeRecipe(content, item.size), { from, to });
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

function* within(chunks: Iterable<Placed>, { from, to }: Part): Generator<Placed, void> {
  for (const chunk of chunks) if (chunk.start < to && chunk.start + chunk.length > from) yield chunk;
}
