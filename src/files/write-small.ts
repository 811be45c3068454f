import { askThread } from "./ask-thread.ts";
import type { NewFile, Written } from "./asks.ts";

/** A small file to write by the file thread. */
export interface SmallFile extends Omit<NewFile, "content"> {
  size: number;
  /** Writes the content into memory of its size. */
  fill: (into: Uint8Array) => Promise<unknown>;
  /** Removes the file: called when it may have been written after all. */
  undo: () => void;
}

/**
 * Writes a small file beside its place by the file thread, and neither flushes nor renames it.
 * @returns whether it did; if not, nothing is left
 */
export async function writeSmall(
  realRoot: string,
  path: string,
  { size, fill, undo, ...file }: SmallFile,
): Promise<boolean> {
  if (askThread.roomFor("write") < 1) return false;
  const written = await askThread.memory.use(async (slot) => {
    const content = slot.subarray(0, size);
    await fill(content);
    return await askThread.ask({ what: "write", realRoot, path, content, ...file }, undo);
  });
  return written === true;
}

/** Renames a file that was written so into its place. @returns whether it did; if not, it may do so yet */
export async function placeSmall(realRoot: string, path: string, file: Written): Promise<boolean> {
  return (await askThread.ask({ what: "place", realRoot, path, ...file })) === true;
}
