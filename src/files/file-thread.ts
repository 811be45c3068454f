/**
 * A thread for the file operations of small files; see thread-main.ts. Node's own operations wake one of four threads
 * for every single operation, which costs more than the operation if files are local: five of them took 100 µs of CPU
 * time a file, and several times that on a busy machine; a thread that gets files in batches took 35 µs
 * (docs/performance.md). If files are remote (a share), operations should wait in parallel: the thread takes no more
 * than it can do at once, and leaves the rest to the caller.
 */
import { askThread } from "./ask-thread.ts";
import type { HashName, Listed, Looked, ReadWhole } from "./asks.ts";

/** Starts it, which takes a moment, before it is needed. */
export function startFileThread(): void {
  askThread.start();
}

/**
 * Looks up names, without following a link.
 * @returns in the same order; undefined for what is no regular file, cannot be looked up, or is more than the thread can do
 * now
 */
export async function lookTogether(
  realRoot: string,
  paths: readonly string[],
): Promise<(Looked | undefined)[]> {
  const some = paths.slice(0, askThread.roomFor("look"));
  return (await askThread.ask({ what: "look", realRoot, paths: some })) ?? [];
}

/**
 * Reads small directories, on Linux.
 * @returns in the same order; undefined for what is no such directory, cannot be read, or is more than the thread can do now
 */
export async function listTogether(
  realRoot: string,
  paths: readonly string[],
): Promise<(Listed | undefined)[]> {
  if (process.platform !== "linux") return [];
  const some = paths.slice(0, askThread.roomFor("list"));
  return (await askThread.ask({ what: "list", realRoot, paths: some })) ?? [];
}

/**
 * Reads a file of a known size, up to `QUICK_SIZE`.
 * @param use gets what was read; the content is valid only until what it returns is settled
 * @returns undefined if the file has changed since, changes while it is read or did so just before, cannot be read, or the
 * thread is busy
 */
export async function readSmall<T>(
  { realRoot, path, size }: { realRoot: string; path: string; size: number },
  hash: HashName,
  use: (file: ReadWhole, content: Buffer) => Promise<T>,
): Promise<T | undefined> {
  return await askThread.memory.use(async (slot) => {
    const into = slot.subarray(0, size);
    const file = await askThread.ask({ what: "read", realRoot, path, into, hash });
    if (!file) return undefined;
    return await use(file, Buffer.from(into.buffer, into.byteOffset, size));
  });
}
