import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, type FileHandle } from "node:fs/promises";
import path from "node:path";
import pMap from "p-map";
import { forDisk, fromBytes, type DiskPath } from "../model/path.ts";
import { kindOf } from "./read-file.ts";
import { pathOfOpen, realPath } from "./real-path.ts";

/** Something other than a directory is where a directory of the run must be, and may not be replaced. */
export class NotADirectory extends Error {
  /** A link, which is never followed, nor replaced by a directory. */
  readonly isLink: boolean;

  constructor(message: string, { isLink = false, cause }: { isLink?: boolean; cause?: unknown }) {
    super(message, { cause });
    this.isLink = isLink;
  }
}

/** A name in a directory. */
export interface Name {
  name: string;
  isDirectory: boolean;
}

/** Concurrent lookups. */
const LOOKUPS = 64;

/** Opens only directories, never through a link. Windows has none of these flags. */
export const DIRECTORY_ONLY = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);
/** A file that must be new. */
export const NEW_FILE =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/**
 * A directory in the backed up or restored tree, held open. On Linux its names are reached through the open
 * directory, so nobody who later puts a link in its place can divert a read, a write or a removal. On other systems
 * its real path is checked when it is opened.
 */
export class PinnedDirectory {
  /** Its path, free of links. */
  readonly real: string;
  /** Undefined on Windows. */
  readonly handle: FileHandle | undefined;
  /** What to do before it is closed. */
  beforeClose: (() => Promise<void>) | undefined;

  private constructor(real: string, handle: FileHandle | undefined) {
    this.real = real;
    this.handle = handle;
  }

  /**
   * Opens `realTo/portable` if every directory on the way is a real one.
   * @param realTo absolute, free of links
   * @param portable "" for `realTo` itself
   * @throws NotADirectory, or the file system's error (ENOENT …)
   */
  static async open(realTo: string, portable: string): Promise<PinnedDirectory> {
    const real = portable === "" ? realTo : path.join(realTo, ...portable.split("/"));
    try {
      return await PinnedDirectory.#open(forDisk(real), real);
    } catch (error) {
      throw await explained(realTo, portable, error);
    }
  }

  /**
   * Opens a directory in it by name. @throws the file system's error (ENOTDIR or ELOOP if it is no directory, or a
   * link)
   */
  async child(name: string): Promise<PinnedDirectory> {
    return await PinnedDirectory.#open(this.path(name), path.join(this.real, name));
  }

  /** The path of a name in it. "" is the directory itself; "." would need it to be searchable. */
  path(name: string): DiskPath {
    return forDisk(
      this.handle && process.platform === "linux"
        ? `/proc/self/fd/${this.handle.fd}/${name}`
        : path.join(this.real, name),
    );
  }

  /**
   * The names in it. One that cannot be looked up counts as not a directory, and does not fail the others.
   * @param withTypes whether to find out which are directories; else none is. If the file system does not return
   * types with the names, each is looked up, and one that hangs holds up all.
   */
  async names(withTypes: boolean): Promise<Name[]> {
    const at = this.path("");
    try {
      if (withTypes) {
        const entries = await readdir(at, { withFileTypes: true, encoding: "buffer" });
        return entries.map((entry) => ({ name: fromBytes(entry.name), isDirectory: entry.isDirectory() }));
      }
    } catch (error) {
      // An error about a name: Node looks up each that came without its type, and returns none if one lookup fails.
      if ((error as NodeJS.ErrnoException).syscall !== "lstat") throw error;
    }
    const names = (await readdir(at, { encoding: "buffer" })).map((name) => fromBytes(name));
    const isDirectory = async (name: string): Promise<boolean> =>
      withTypes && (await lstat(this.path(name)).catch(() => undefined))?.isDirectory() === true;
    return await pMap(names, async (name) => ({ name, isDirectory: await isDirectory(name) }), {
      concurrency: LOOKUPS,
    });
  }

  /**
   * Makes sure that what was reached by its path was in this directory. On Linux it was: there no path is walked
   * again.
   * @throws NotADirectory, or the file system's error
   */
  async assertInPlace(): Promise<void> {
    if (process.platform === "linux" || (await realPath(this.real)) === this.real) return;
    throw new NotADirectory("it was moved, and a link put in its place", { isLink: true });
  }

  /** The stats of the open directory itself. */
  async stat(): Promise<Stats> {
    return this.handle ? await this.handle.stat() : await lstat(forDisk(this.real));
  }

  /** Flushes the directory, so that added and removed names survive a crash. */
  async sync(): Promise<void> {
    await this.handle?.sync();
  }

  async close(): Promise<void> {
    await this.beforeClose?.();
    await this.handle?.close();
  }

  /** Opens `at`, which must turn out to be `real`. */
  static async #open(at: DiskPath, real: string): Promise<PinnedDirectory> {
    if (process.platform === "win32") return new PinnedDirectory(await checked(real), undefined);
    const handle = await open(at, DIRECTORY_ONLY);
    try {
      const opened = process.platform === "linux" ? pathOfOpen(handle.fd) : await realPath(real);
      if (opened !== real) {
        const isGone = (await handle.stat()).nlink === 0;
        throw Object.assign(new Error("removed, or reached through a link"), {
          code: isGone ? "ENOENT" : "ELOOP",
        });
      }
      return new PinnedDirectory(real, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

async function checked(real: string): Promise<string> {
  const stats = await lstat(forDisk(real));
  if (stats.isDirectory() && (await realPath(real)) === real) return real;
  throw Object.assign(new Error("not a directory, or reached through a link"), { code: "ENOTDIR" });
}

/** The error for a directory that could not be opened, explained if something else is in its way. */
export async function explained(realTo: string, portable: string, error: unknown): Promise<unknown> {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOTDIR" || code === "ELOOP" ? await whatIsInTheWay(realTo, portable, error) : error;
}

/** The first entry on the way to a directory that is not a directory. */
async function whatIsInTheWay(realTo: string, portable: string, cause: unknown): Promise<NotADirectory> {
  let at = realTo;
  let name = "";
  for (const segment of portable.split("/")) {
    at = path.join(at, segment);
    name = name === "" ? segment : `${name}/${segment}`;
    const stats = await lstat(forDisk(at)).catch(() => undefined);
    if (stats && !stats.isDirectory()) return inTheWay(name, stats, cause);
  }
  return new NotADirectory("a directory on the way was replaced meanwhile", { cause });
}

/** Says what is where a directory must be. */
export function inTheWay(name: string, stats: Stats, cause: unknown): NotADirectory {
  const isLink = stats.isSymbolicLink();
  const message = isLink
    ? `"${name}" is a link in the directory that is restored into; links are never followed`
    : `"${name}" is ${stats.isFile() ? "a file" : kindOf(stats)} where a directory must be`;
  return new NotADirectory(message, { isLink, cause });
}

/** For `catch`: ignores errors with these codes, and throws any other. */
export function ignore(...codes: string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
  };
}
