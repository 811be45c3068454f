import { AskThread } from "./ask-thread.ts";
import type { Looked, ReadWhole } from "./asks.ts";

/** Files up to this size are read whole by the thread. For larger ones the hand-over is not what takes the time. */
export const QUICK_SIZE = 64 * 1024;

/**
 * A thread for the file operations of small files; see thread-main.ts. Node's own operations wake one of four threads
 * for every single operation, which costs more than the operation if files are local: five of them took 100 µs of CPU
 * time a file, and several times that on a busy machine; a thread that gets many files at a time took 35 µs
 * (docs/performance.md). If files are remote (a share), operations should wait in parallel: the thread takes no more
 * than it can do at once, and leaves the rest to the caller.
 */
class FileThread {
  readonly #thread = new AskThread();

  /**
   * Looks up a name, without following a link.
   * @returns undefined when it is no regular file, cannot be looked up, or the thread has enough to do
   */
  async look(realRoot: string, path: string): Promise<Looked | undefined> {
    return await this.#thread.ask({ what: "look", realRoot, path });
  }

  /**
   * Reads a file of a known size, up to `QUICK_SIZE`.
   * @returns undefined when it is not as it was, changes while it is read or has just done so, cannot be read, or the
   * thread has enough to do
   */
  async read(realRoot: string, path: string, size: number): Promise<ReadWhole | undefined> {
    return (await this.#thread.ask({ what: "read", realRoot, path, size })) as ReadWhole | undefined;
  }
}

/** One per process is enough: reading a file costs less than what follows it. */
export const fileThread = new FileThread();
