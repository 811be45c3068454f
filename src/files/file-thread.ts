import { AskThread } from "./ask-thread.ts";
import type { HashName, Listed, Looked, NewFile, ReadWhole, Written } from "./asks.ts";

/**
 * A thread for the file operations of small files; see thread-main.ts. Node's own operations wake one of four threads
 * for every single operation, which costs more than the operation if files are local: five of them took 100 µs of CPU
 * time a file, and several times that on a busy machine; a thread that gets many files at a time took 35 µs
 * (docs/performance.md). If files are remote (a share), operations should wait in parallel: the thread takes no more
 * than it can do at once, and leaves the rest to the caller.
 */
class FileThread {
  readonly #thread = new AskThread();

  /** Starts it, which takes a moment, before it is needed. */
  start(): void {
    this.#thread.start();
  }

  /**
   * Looks up names, without following a link.
   * @returns in the same order; undefined for what is no regular file, cannot be looked up, or is more than the thread can do
   * now
   */
  async look(realRoot: string, paths: readonly string[]): Promise<(Looked | undefined)[]> {
    const some = paths.slice(0, this.#thread.roomFor("look"));
    return (await this.#thread.ask({ what: "look", realRoot, paths: some })) ?? [];
  }

  /**
   * Reads small directories, on Linux.
   * @returns in the same order; undefined for what is no such directory, cannot be read, or is more than the thread can do now
   */
  async list(realRoot: string, paths: readonly string[]): Promise<(Listed | undefined)[]> {
    if (process.platform !== "linux") return [];
    const some = paths.slice(0, this.#thread.roomFor("list"));
    return (await this.#thread.ask({ what: "list", realRoot, paths: some })) ?? [];
  }

  /**
   * Reads a file of a known size, up to `QUICK_SIZE`.
   * @param use gets what was read, whose content is good until it ends
   * @returns undefined when the file is not as it was, changes while it is read or has just done so, cannot be read, or the
   * thread has enough to do
   */
  async read<T>(
    { realRoot, path, size }: { realRoot: string; path: string; size: number },
    hash: HashName,
    use: (file: ReadWhole, content: Buffer) => Promise<T>,
  ): Promise<T | undefined> {
    return await this.#thread.memory.use(async (slot) => {
      const into = slot.subarray(0, size);
      const file = await this.#thread.ask({ what: "read", realRoot, path, into, hash });
      if (!file) return undefined;
      return await use(file, Buffer.from(into.buffer, into.byteOffset, size));
    });
  }

  /**
   * Writes a small file beside its place, and neither flushes nor renames it.
   * @param fill writes the content into memory of its size
   * @param undo removes the file: called when it may have been written after all
   * @returns whether it did; if not, nothing is left
   */
  async write(
    realRoot: string,
    path: string,
    { size, ...file }: Omit<NewFile, "content"> & { size: number },
    { fill, undo }: { fill: (into: Uint8Array) => Promise<unknown>; undo: () => void },
  ): Promise<boolean> {
    const written = await this.#thread.memory.use(async (slot) => {
      const content = slot.subarray(0, size);
      await fill(content);
      return await this.#thread.ask({ what: "write", realRoot, path, content, ...file }, undo);
    });
    return written === true;
  }

  /** Renames a file that was written. @returns whether it did; if not, it may do so yet */
  async place(realRoot: string, path: string, file: Written): Promise<boolean> {
    return (await this.#thread.ask({ what: "place", realRoot, path, ...file })) === true;
  }
}

/** One per process is enough: reading a file costs less than what follows it. */
export const fileThread = new FileThread();
