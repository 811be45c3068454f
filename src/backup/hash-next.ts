import { BLOCK, type Budget } from "../storage/budget.ts";
import type { OpenFile } from "../files/read-file.ts";

/**
 * Hashes on in a file, in blocks, until the time is up; one block at least.
 * @param until by `performance.now()`
 * @returns the position that it came to
 * @throws ChangedWhileReading
 */
export async function hashNext(
  file: OpenFile,
  hash: { update(chunk: Buffer): unknown },
  { from, to, until }: { from: number; to: number; until: number },
  budget: Budget,
): Promise<number> {
  let position = from;
  await budget.content(BLOCK, async (buffer) => {
    while (position < to && (position === from || performance.now() < until)) {
      const chunk = buffer.subarray(0, Math.min(BLOCK, to - position));
      await file.read(chunk, position);
      hash.update(chunk);
      position += chunk.length;
    }
  });
  await file.assertUnchanged();
  return position;
}
