import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { fileError } from "../files/file-error.ts";
import { attributesOf, type Attributes, type Entry, type EntryKind } from "../model/entry.ts";
import type { Looked } from "../files/asks.ts";
import { fileThread } from "../files/file-thread.ts";
import type { Filter } from "../model/filter.ts";
import { awaitingHandles } from "../files/handles.ts";
import { takingTurns } from "../model/in-turns.ts";
import type { Outcome } from "../model/outcome.ts";
import { NotADirectory, type Name } from "../files/pinned-directory.ts";
import { kindOf, locate, NotAFile } from "../files/read-file.ts";
import { inDirectory } from "../files/read-link.ts";
import { whyNotABlobName, blobKey } from "../model/blob-name.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";

/** A name that was met and is still to be looked at: a directory to walk, or a file to look up. */
export type Pending = { dir: string } | { file: string };

/**
 * What one look at a name gave: an entry to copy, a directory to read, or an outcome that stands already; undefined
 * where the filter leaves it out.
 */
export type Look = { entry: Entry } | { directory: string } | { outcome: Outcome } | undefined;

/** What a directory holds. Paths are relative to the root, `/` between segments. */
export interface Children {
  directories: string[];
  /** All other names; where the file system does not say what they are, directories too. */
  files: string[];
  /** Nothing at all is in it. */
  empty: boolean;
  own: SeenDirectory;
}

/** A directory as it was when its names were read. */
export interface SeenDirectory extends Attributes {
  path: string;
  dev: number;
  ino: number;
}

/** What reading a directory gave. */
interface Read {
  stats: Stats;
  names: Name[];
  withTypes: boolean;
}

/** Looks at a tree, one directory at a time, and never outside it. */
export class Walker {
  readonly #realRoot: string;
  readonly #filter: Filter;
  readonly #nameOf: (portable: string) => string;
  readonly #timeoutMs: number;
  readonly #turn = takingTurns();

  /** @param nameOf the blob's name of a path */
  constructor(realRoot: string, filter: Filter, nameOf: (portable: string) => string, timeoutMs: number) {
    this.#realRoot = realRoot;
    this.#filter = filter;
    this.#nameOf = nameOf;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Reads one directory. Links are not followed.
   * @returns its children; of a name that is no directory any more, what it is; or why it could not be read
   */
  async readDirectory(portable: string): Promise<Children | Look> {
    let isOpen = false;
    const read = (withTypes: boolean): Promise<Read> => {
      const reading = (): Promise<Read> =>
        inDirectory(this.#realRoot, portable, async (directory) => {
          isOpen = true;
          const stats = await directory.stat();
          const names = await directory.names(withTypes);
          await directory.assertInPlace();
          return { stats, names, withTypes };
        });
      return awaitingHandles(() => withTimeout(reading(), this.#timeoutMs, "reading the directory"));
    };
    let directory: Read;
    try {
      directory = await read(true).catch((error: unknown) => {
        // It may be one of its names that hangs.
        if (isOpen && error instanceof FileTimeout) return read(false);
        throw error;
      });
    } catch (error) {
      const look = error instanceof NotAFile && portable !== "" ? await this.look(portable) : undefined;
      return look && !("directory" in look) ? look : { outcome: unread(portable, error) };
    }
    return await this.#childrenOf(portable, directory);
  }

  async #childrenOf(portable: string, { stats, names, withTypes }: Read): Promise<Children> {
    const { dev, ino } = stats;
    const own = { path: portable, ...attributesOf(stats), dev, ino };
    const children: Children = { directories: [], files: [], empty: names.length === 0, own };
    for (const { name, isDirectory } of names) {
      const child = join(portable, name);
      if (isDirectory) {
        if (await this.#takes("directory", child)) children.directories.push(child);
      } else if (!withTypes || (await this.#takes("file", child))) children.files.push(child);
    }
    return children;
  }

  /** What the filter says, which may have to compute for it. */
  async #takes(what: "file" | "directory" | "emptyDirectory", portable: string): Promise<boolean> {
    await this.#turn();
    return this.#filter[what](portable);
  }

  /** Looks up one name: what it is, its size and times, and whether Blob Storage can hold it. */
  async look(portable: string): Promise<Look> {
    let stats: Looked | Stats | undefined = await fileThread.look(this.#realRoot, portable);
    try {
      stats ??= await withTimeout(lstat(locate(this.#realRoot, portable)), this.#timeoutMs, "looking it up");
    } catch (error) {
      return { outcome: unknown(portable, error) };
    }
    const kind = "isFile" in stats ? entryKind(stats) : "file";
    if (kind === "directory")
      return (await this.#takes("directory", portable)) ? { directory: portable } : undefined;
    if (!(await this.#takes("file", portable))) return undefined;
    if (kind === "other") {
      const reason = kindOf(stats as Stats);
      return { outcome: { path: portable, outcome: "skipped", kind, size: 0, reason } };
    }
    const size = kind === "file" ? stats.size : 0;
    return await this.#settle({ path: portable, kind, size, ...attributesOf(stats) });
  }

  /** A directory without anything in it, which is backed up as such; undefined where the filter leaves it out. */
  async emptyDirectory({ path: portable, mtime, ctime, mode }: SeenDirectory): Promise<Look> {
    if (!(await this.#takes("emptyDirectory", portable))) return undefined;
    return await this.#settle({ path: portable, kind: "directory", size: 0, mtime, ctime, mode });
  }

  /** An entry to copy, where Blob Storage can hold it. */
  async #settle(entry: Entry): Promise<Look> {
    const { path: portable, kind } = entry;
    const why = whyNotABlobName(this.#nameOf(portable));
    if (why !== undefined) return failed(portable, kind, `Blob Storage cannot hold it: ${why}`);
    if (portable.includes("\\") && (await this.#hasEarlier(portable, "", blobKey(portable).split("/")))) {
      return failed(portable, kind, 'Blob Storage turns "\\" into "/", and another file has that name');
    }
    return { entry };
  }

  /**
   * Whether another file that comes before this one would have the same blob: it gets it.
   * @param head a directory whose path is stored as the beginning of this one's
   * @param segments of what follows; between them can be "/" or "\"
   */
  async #hasEarlier(portable: string, head: string, segments: readonly string[]): Promise<boolean> {
    for (let count = 1; count <= segments.length; count++) {
      const spelling = join(head, segments.slice(0, count).join("\\"));
      // With more segments it comes no earlier.
      if (spelling >= portable) break;
      const looking = lstat(locate(this.#realRoot, spelling));
      const there = await withTimeout(looking, this.#timeoutMs, "looking it up").catch(() => undefined);
      if (there === undefined) continue;
      const rest = segments.slice(count);
      if (!there.isDirectory() ? rest.length === 0 : await this.#hasEarlier(portable, spelling, rest))
        return true;
    }
    return false;
  }
}

function entryKind(stats: Stats): EntryKind | "other" {
  if (stats.isFile()) return "file";
  if (stats.isSymbolicLink()) return "link";
  return stats.isDirectory() ? "directory" : "other";
}

function failed(portable: string, kind: Outcome["kind"], reason: string): { outcome: Outcome } {
  return { outcome: { path: portable, outcome: "failed", kind, size: 0, reason } };
}

/** The outcome of a name that could not be looked up. */
function unknown(portable: string, error: unknown): Outcome {
  const { code } = error as NodeJS.ErrnoException;
  const base = { path: portable, kind: "file" as const, size: 0 };
  if (error instanceof NotAFile) return { ...base, kind: "other", outcome: "skipped", reason: error.what };
  if (code === "ENOENT" || code === "ENOTDIR") {
    return { ...base, outcome: "vanished", reason: "gone when it was looked up" };
  }
  const reason = error instanceof FileTimeout ? error.message : fileError(code ?? String(error));
  return { ...base, outcome: "failed", reason };
}

/** The outcome of a directory that could not be read: it stands for all that may be in it. */
function unread(portable: string, error: unknown): Outcome {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") {
    const reason = "the directory was gone when it was to be read";
    return { path: portable, kind: "other", size: 0, outcome: "vanished", reason };
  }
  const replaced = error instanceof NotAFile || error instanceof NotADirectory;
  const why = replaced
    ? "it, or a directory above it, was replaced meanwhile"
    : error instanceof FileTimeout
      ? error.message
      : fileError(code ?? String(error));
  return failed(portable, "directory", `the directory could not be read: ${why}`).outcome;
}

function join(directory: string, name: string): string {
  // A name is one segment: on Windows it cannot hold a separator, on POSIX "\" is part of it.
  return directory === "" ? name : `${directory}/${name}`;
}
