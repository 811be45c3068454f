import type { OpenFile } from "../../files/read-file.ts";
import type { Budget } from "../../storage/budget.ts";
import { ChunkEnd, CHUNKER } from "./chunker.ts";

/** Bytes per read. Those beyond the end of a chunk are read again, from the kernel's cache. */
const STEP = 1024 * 1024;
/** Chunks of one file in memory, being read or stored. */
const CHUNKS_AT_A_TIME = 8;

/** From a position where a chunk begins until a time, by `performance.now()`, but at least one chunk. */
interface Span {
  from: number;
  until: number;
}

/**
 * Reads a span of a file in order, cuts it into chunks, and passes each on.
 * @param take is called in the order of chunks, and may run while others are read; the bytes are its own until its promise settles
 * @returns the position reached, where a chunk ends
 * @throws ChangedWhileReading, or the first error of `take`, once nothing is in flight
 */
export async function readChunks(
  file: OpenFile,
  { from, until }: Span,
  budget: Budget,
  take: (chunk: Buffer, position: number) => Promise<void>,
): Promise<number> {
  const inFlight = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  let position = from;
  while (position < file.size && !failure && (position === from || performance.now() < until)) {
    const start = position;
    const cut = Promise.withResolvers<void>();
    const chunk = budget
      .content(CHUNKER.max, async (buffer) => {
        const length = await readChunk(file, start, buffer);
        position += length;
        cut.resolve();
        await take(buffer.subarray(0, length), start);
      })
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => {
        cut.resolve();
        inFlight.delete(chunk);
      });
    inFlight.add(chunk);
    await cut.promise;
    while (inFlight.size >= CHUNKS_AT_A_TIME) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  if (failure) throw failure.error;
  await file.assertUnchanged();
  return position;
}

/** Reads the chunk that begins at `start`. @returns its length */
async function readChunk(file: OpenFile, start: number, into: Buffer): Promise<number> {
  const most = Math.min(file.size - start, CHUNKER.span - (start % CHUNKER.span), into.length);
  const chunkEnd = new ChunkEnd();
  for (let filled = 0; filled < most;) {
    const step = into.subarray(filled, Math.min(filled + STEP, most));
    await file.read(step, start + filled);
    filled += step.length;
    const length = chunkEnd.find(into.subarray(0, filled));
    if (length !== undefined) return length;
  }
  return most;
}
