import * as fs from "node:fs";
import { constants, type Stats } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { EntryKind } from "../model/entry.ts";
import { forDisk, isPath, type DiskPath } from "../model/path.ts";
import { pathOfOpen } from "./real-path.ts";
import { isInside } from "./roots.ts";
import { tidyInTime, withTimeout } from "./timeout.ts";

/**
 * Links are not followed, and a FIFO without a writer does not block. On Windows the flags are absent (0).
 * O_NOATIME is left out: it needs ownership.
 */
export const READ_ONLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Plain descriptors: the same calls on a FileHandle take a third more CPU time (docs/performance.md). */
const open = promisify(fs.open);
const fstat = promisify(fs.fstat);
const read = promisify(fs.read);
const close = promisify(fs.close);

/** Time stamps have the grain of the kernel's clock tick: 4 ms on Linux, up to 16 ms on Windows, 2 s on FAT (not covered). */
const CLOCK_GRAIN_MS = 20;

/** A file changed while it was read; what was read must not be used. */
export class ChangedWhileReading extends Error {
  constructor() {
    super("changed while reading");
  }
}

/** A file whose size is reported as 0 has too much content to count. */
export class Endless extends Error {
  constructor() {
    super("its file system reports its size as 0, but it has more than 256 MiB of content");
  }
}

/** The name is no longer a regular file inside the root. */
export class NotAFile extends Error {
  readonly what: string;

  constructor(what: string) {
    super(what);
    this.what = what;
  }
}

/**
 * A file that is open for reading, known to be a regular file inside the root. Every operation is bounded in time: it
 * throws FileTimeout.
 */
export class OpenFile {
  readonly stats: Stats;
  /** Bytes of content, as the file system reports them, or counted if it reports 0. */
  readonly size: number;
  readonly #descriptor: number;
  readonly #timeoutMs: number;
  /** Operations without an answer, abandoned or not. */
  #pending = 0;
  #isOpen = true;

  private constructor(descriptor: number, stats: Stats, size: number, timeoutMs: number) {
    this.#descriptor = descriptor;
    this.stats = stats;
    this.size = size;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Opens a file without following a link, and checks what was opened, not what its name was a moment ago.
   * @throws NotAFile, or the file system's error (ENOENT, EACCES …; ELOOP if it has become a link)
   */
  static async open(file: DiskPath, realRoot: string, timeoutMs: number): Promise<OpenFile> {
    const opening = OpenFile.#open(file, realRoot, timeoutMs);
    return await withTimeout(opening, timeoutMs, "opening it", (late) => late.close());
  }

  static async #open(file: DiskPath, realRoot: string, timeoutMs: number): Promise<OpenFile> {
    const descriptor = await open(file, READ_ONLY);
    try {
      const stats = await fstat(descriptor);
      if (!stats.isFile()) throw new NotAFile(kindOf(stats));
      if (!liesInside(descriptor, realRoot)) {
        throw new NotAFile("outside the root: a directory on the way was replaced by a link");
      }
      const size = stats.size === 0 ? await contentLength(descriptor) : stats.size;
      return new OpenFile(descriptor, stats, size, timeoutMs);
    } catch (error) {
      await close(descriptor);
      throw error;
    }
  }

  /** Fills `into` from `position`. @throws ChangedWhileReading if the file ends first */
  async read(into: Buffer, position: number): Promise<void> {
    await this.#timed(() => this.#fill(into, position), "reading it");
  }

  async #fill(into: Buffer, position: number): Promise<void> {
    for (let done = 0; done < into.length;) {
      const { bytesRead } = await read(this.#descriptor, into, done, into.length - done, position + done);
      if (bytesRead === 0) throw new ChangedWhileReading();
      done += bytesRead;
    }
  }

  /**
   * Makes sure that the file has not changed since it was opened. The witness is ctime, which nobody can set. A
   * change within one tick of the clock would leave no trace in it, so a file changed just before it was opened never
   * counts as stable.
   * @throws ChangedWhileReading
   */
  async assertUnchanged(): Promise<void> {
    const now = await this.#timed(() => fstat(this.#descriptor), "looking it up");
    if (!isSame(this.stats, now)) throw new ChangedWhileReading();
    // If the size says nothing: that it still ends at the same place.
    if (this.size === this.stats.size) return;
    const { bytesRead } = await this.#timed(
      () => read(this.#descriptor, Buffer.alloc(1), 0, 1, this.size),
      "reading it",
    );
    if (bytesRead > 0) throw new ChangedWhileReading();
  }

  /** Waits until a change from now on would show in the time stamps. Costs nothing for files older than a tick. */
  static async settle(stats: Stats): Promise<boolean> {
    if (isSettled(stats)) return false;
    await sleep(CLOCK_GRAIN_MS * 2);
    return true;
  }

  /**
   * Closes it once, and only after all pending operations have answered: the number of a closed descriptor is soon
   * another file's. Does not wait for what hangs.
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#pending === 0) await tidyInTime(close(this.#descriptor), this.#timeoutMs);
  }

  async #timed<T>(begin: () => Promise<T>, what: string): Promise<T> {
    if (!this.#isOpen) throw new Error("The file is closed already.");
    const operation = begin();
    this.#pending++;
    const answered = (): void => {
      if (--this.#pending === 0 && !this.#isOpen) fs.close(this.#descriptor, () => undefined);
    };
    operation.then(answered, answered);
    return await withTimeout(operation, this.#timeoutMs, what);
  }
}

/** More than procfs and the like have in a file; one that never ends must not be counted forever. */
const MOST_UNTOLD = 256 * 1024 * 1024;

/** Counts the bytes of a file whose size is reported as 0: most are empty, but some file systems report no sizes. */
async function contentLength(descriptor: number): Promise<number> {
  const some = Buffer.allocUnsafe(64 * 1024);
  for (let length = 0; ;) {
    const { bytesRead } = await read(descriptor, some, 0, some.length, length);
    if (bytesRead === 0) return length;
    length += bytesRead;
    if (length > MOST_UNTOLD) throw new Endless();
  }
}

/**
 * Whether what is open lies inside the root: a directory on the way may have been replaced by a link. This can be
 * checked on Linux only.
 */
export function liesInside(descriptor: number, realRoot: string): boolean {
  return process.platform !== "linux" || isInside(pathOfOpen(descriptor), realRoot);
}

/**
 * Whether a change from now on would show in the time stamps. Those in the future by more than a minute come from a clock
 * that is wrong: waiting for it would not help.
 */
export function isSettled(stats: Stats): boolean {
  const age = Date.now() - Math.max(stats.ctimeMs, stats.mtimeMs);
  return age > CLOCK_GRAIN_MS || age < -60_000;
}

/** Whether a file is as it was. */
export function isSame(before: Stats, now: Stats): boolean {
  return now.size === before.size && now.mtimeMs === before.mtimeMs && now.ctimeMs === before.ctimeMs;
}

/** The kind of an entry; other for what is not backed up. */
export function entryKind(stats: Stats): EntryKind | "other" {
  if (stats.isFile()) return "file";
  if (stats.isSymbolicLink()) return "link";
  return stats.isDirectory() ? "directory" : "other";
}

/** Names a kind of file that is not regular. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a named pipe (FIFO)";
  if (stats.isSocket()) return "a socket";
  if (stats.isBlockDevice()) return "a block device";
  if (stats.isCharacterDevice()) return "a character device";
  return "not a regular file";
}

/**
 * The absolute path of an entry, as calls to the file system take it.
 * @throws NotAFile for a name that leads out of the root: no listing has one, but a ledger that others wrote may
 */
export function locate(realRoot: string, portable: string): DiskPath {
  const segments = portable.split("/");
  const file = path.join(realRoot, ...segments);
  if (!isPath(file)) throw new NotAFile("no file: its name is not valid Unicode");
  if (segments.includes("..") || !isInside(file, realRoot)) {
    throw new NotAFile('outside the root: its name has a ".."');
  }
  return forDisk(file);
}
