import { lstat } from "node:fs/promises";
import type { Listed } from "../files/asks.ts";
import { awaitingHandles, fileError } from "../files/errors.ts";
import { inTree } from "../files/in-directory.ts";
import { NotADirectory, type Name } from "../files/pinned-directory.ts";
import { locate, NotAFile } from "../files/read-file.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";
import type { Attributes, Entry } from "../model/entry.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { joinPath } from "../model/path.ts";

/** A pending name: a directory to walk, or a file to look up. */
export type Pending = { dir: string } | { file: string };

/**
 * The result of looking up a name: an entry to copy, a directory to read, or a settled outcome; undefined if the filter
 * leaves it out.
 */
export type Look = { entry: Entry } | { directory: string } | { outcome: Outcome } | undefined;

/** A directory's content. Paths are relative to the root, with `/` between segments. */
export interface Children {
  directories: string[];
  /** All other names; directories too if the file system does not say what a name is. */
  files: string[];
  empty: boolean;
  own: SeenDirectory;
}

/** A directory as it was when its names were read. */
export interface SeenDirectory extends Attributes {
  path: string;
  dev: number;
  ino: number;
}

/** The names read in a directory, and what it was then. */
export interface NamesRead {
  stats: Listed["stats"];
  names: Name[];
  /** Whether the names say which of them are directories. */
  withTypes: boolean;
}

/**
 * Reads the names in a directory. Links are not followed. Finding out their types may hang if one of them is on a hanging mount;
 * then the names are read without types.
 * @throws NotAFile, FileTimeout, errors of the file system
 */
export async function readNames(realRoot: string, portable: string, timeoutMs: number): Promise<NamesRead> {
  let isOpen = false;
  const read = async (withTypes: boolean): Promise<NamesRead> => {
    const reading = (): Promise<NamesRead> =>
      inTree(realRoot, portable, async (directory) => {
        isOpen = true;
        const stats = await directory.stat();
        const names = await directory.names(withTypes);
        await directory.assertInPlace();
        return { stats, names, withTypes };
      });
    return await awaitingHandles(() => withTimeout(reading(), timeoutMs, "reading the directory"));
  };
  try {
    return await read(true);
  } catch (error) {
    if (isOpen && error instanceof FileTimeout) return await read(false);
    throw error;
  }
}

/** The outcome of a name that could not be looked up. */
export function unknownName(portable: string, error: unknown): Outcome {
  const { code } = error as NodeJS.ErrnoException;
  const base = { path: portable, kind: "file" as const, size: 0 };
  if (error instanceof NotAFile) return { ...base, kind: "other", outcome: "skipped", reason: error.what };
  if (code === "ENOENT" || code === "ENOTDIR") {
    return { ...base, outcome: "vanished", reason: "gone when it was looked up" };
  }
  const reason = error instanceof FileTimeout ? error.message : fileError(code ?? String(error));
  return { ...base, outcome: "failed", reason };
}

/** The outcome of a directory that could not be read, which stands for everything in it. */
export function unreadDirectory(portable: string, error: unknown): Outcome {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") {
    const reason = "the directory was gone before it was read";
    return { path: portable, kind: "other", size: 0, outcome: "vanished", reason };
  }
  const replaced = error instanceof NotAFile || error instanceof NotADirectory;
  const why = replaced
    ? "it, or a directory above it, was replaced meanwhile"
    : error instanceof FileTimeout
      ? error.message
      : fileError(code ?? String(error));
  return failed({ path: portable, kind: "directory" }, `the directory could not be read: ${why}`);
}

/**
 * Whether another file, earlier in order, has the same name in the destination, where "\\" becomes "/". Then that one is kept.
 */
export async function hasEarlier(
  realRoot: string,
  portable: string,
  name: string,
  timeoutMs: number,
): Promise<boolean> {
  /** @param head a directory whose path is stored as the beginning of this one's; between segments can be "/" or "\\" */
  const below = async (head: string, segments: readonly string[]): Promise<boolean> => {
    for (let count = 1; count <= segments.length; count++) {
      const spelling = joinPath(head, segments.slice(0, count).join("\\"));
      // A name with more segments is not earlier.
      if (spelling >= portable) break;
      const looking = lstat(locate(realRoot, spelling));
      const there = await withTimeout(looking, timeoutMs, "looking it up").catch(() => undefined);
      if (there === undefined) continue;
      const rest = segments.slice(count);
      if (there.isDirectory() ? await below(spelling, rest) : rest.length === 0) return true;
    }
    return false;
  };
  return await below("", name.split("/"));
}
