import type { PlannedItem } from "../../manifest/planned-item.ts";
import type { Part } from "../fetching.ts";
import type { At } from "./format.ts";
import { locationOf } from "./located.ts";
import { chunksIn, type Placed } from "./read-content.ts";
import { readChunk } from "./read-chunk.ts";
import { PackReader, UNCOUNTED } from "./read-pack.ts";

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
  const fetch = (chunk: Placed | undefined): Promise<Buffer> | undefined => {
    const reading = chunk && readChunk(at, chunk, UNCOUNTED);
    // It may fail when nothing awaits it any more.
    reading?.catch(() => undefined);
    return reading;
  };
  const chunks = chunksIn(content, item).filter(({ start, length }) => start < to && start + length > from);
  let next = fetch(chunks[0]);
  for (const [number, { start }] of chunks.entries()) {
    const bytes = await next;
    next = fetch(chunks[number + 1]);
    if (bytes) yield bytes.subarray(Math.max(0, from - start), to - start);
  }
}
