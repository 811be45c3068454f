import type { OpenFile } from "../../files/read-file.ts";
import type { Budget } from "../../storage/budget.ts";
import type { ChunkStore } from "./chunks.ts";
import { readChunks } from "./read-chunks.ts";
import { encodeRecipe, type Chunk } from "./recipe.ts";

/**
 * Stores the chunks of a file, and returns its recipe; see readChunks.
 * @throws ChangedWhileReading; as `ChunkStore.put` does
 */
export async function storeLarger(file: OpenFile, chunks: ChunkStore, budget: Budget): Promise<Buffer> {
  return (await storeSpan(file, { from: 0, until: Infinity }, chunks, budget)).recipe;
}

/** The same for a span of it. @returns the position reached, and the recipe of what was read */
export async function storeSpan(
  file: OpenFile,
  span: { from: number; until: number },
  chunks: ChunkStore,
  budget: Budget,
): Promise<{ position: number; recipe: Buffer }> {
  const stored: (Chunk & { at: number })[] = [];
  const position = await readChunks(file, span, budget, async (content, at) => {
    stored.push({ at, ...(await chunks.put(content)) });
  });
  return { position, recipe: encodeRecipe(stored.sort((one, other) => one.at - other.at)) };
}
