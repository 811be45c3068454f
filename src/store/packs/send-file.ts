import type { OpenFile } from "../../files/read-file.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Budget } from "../../storage/budget.ts";
import type { Sent, Upload } from "../storing.ts";
import type { ChunkStore } from "./chunks.ts";
import { readChunks } from "./read-chunks.ts";
import { RecipePieces } from "./recipe-pieces.ts";
import { encodeRecipe, type Chunk } from "./recipe.ts";

/**
 * Stores the next span of a large file, and records its piece of the recipe, so that little is passed on from one activity to the
 * next. A span that is recorded is not read again.
 * @returns how far it got, or the whole recipe at the end
 */
export async function sendSpan(
  file: OpenFile,
  { attempt, sent, until }: Upload,
  { ledger, chunks, budget }: { ledger: Ledger; chunks: ChunkStore; budget: Budget },
): Promise<{ sent: Sent } | { recipe: Buffer }> {
  const { position: from, state = "" } = sent ?? { position: 0 };
  const pieces = new RecipePieces(ledger, attempt);
  let piece = await pieces.read(from, state);
  if (!piece) {
    const stored = await storeSpan(file, { from, until }, chunks, budget);
    if (from === 0 && stored.position === file.size) return stored;
    piece = await pieces.settle(from, stored, state);
  }
  if (piece.position < file.size) return { sent: { position: piece.position, state: piece.state } };
  return { recipe: await pieces.whole(file.size, piece.state) };
}

/**
 * Stores the chunks of a file, and returns its recipe; see readChunks.
 * @throws ChangedWhileReading; as `ChunkStore.put` does
 */
export async function storeLarger(file: OpenFile, chunks: ChunkStore, budget: Budget): Promise<Buffer> {
  return (await storeSpan(file, { from: 0, until: Infinity }, chunks, budget)).recipe;
}

/** The same for a span of it. @returns the position reached, and the recipe of what was read */
async function storeSpan(
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
