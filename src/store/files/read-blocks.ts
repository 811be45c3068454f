import type { OpenFile } from "../../files/read-file.ts";
import { BLOCK, type Budget } from "../../storage/budget.ts";

/** Blocks of one file in memory: being read, hashed or sent. */
const BLOCKS_AT_A_TIME = 4;

/** A span: from a position until a time, by `performance.now()`, and at least one block. */
export interface Span {
  /** Bytes. */
  from: number;
  until: number;
  /** Bytes of a block. */
  block?: number;
}

/**
 * Reads a span of a file, a few blocks at a time, hashes them in order, and passes each on once it is hashed.
 * @param take may run while other blocks are read; the buffer is reused once its promise settles
 * @returns the position reached
 * @throws ChangedWhileReading, or the first error of `take`, once nothing is in flight
 */
export async function readBlocks(
  file: OpenFile,
  { from, until, block = BLOCK }: Span,
  hash: { update(content: Buffer): unknown },
  budget: Budget,
  take: (content: Buffer, position: number) => Promise<void> = async () => {},
): Promise<number> {
  const { size } = file;
  const inFlight = new Set<Promise<void>>();
  let failure: unknown;
  let failed = false;
  let before = Promise.resolve();
  let position = from;
  while (position < size && !failed && (position === from || performance.now() < until)) {
    const start = position;
    const length = Math.min(block, size - start);
    position += length;
    const previous = before;
    const hashed = Promise.withResolvers<void>();
    before = hashed.promise;
    // Memory is granted in the order of requests, so the block that all others wait for always has its own.
    const piece = budget
      .content(length, async (content) => {
        if (failed) return;
        await file.read(content, start);
        await previous;
        if (failed) return;
        hash.update(content);
        hashed.resolve();
        await take(content, start);
      })
      .catch((error: unknown) => {
        failure ??= error;
        failed = true;
      })
      .finally(() => {
        hashed.resolve();
        inFlight.delete(piece);
      });
    inFlight.add(piece);
    while (inFlight.size >= BLOCKS_AT_A_TIME) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  if (failed) throw failure;
  await file.assertUnchanged();
  return position;
}
