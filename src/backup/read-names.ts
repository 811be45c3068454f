import type { Listed } from "../files/asks.ts";
import { awaitingHandles } from "../files/handles.ts";
import { type Name, NotADirectory } from "../files/pinned-directory.ts";
import { inDirectory } from "../files/read-link.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";
import { fileError } from "../files/file-error.ts";
import { NotAFile } from "../files/read-file.ts";
import { failed, type Outcome } from "../model/outcome.ts";

/** A directory as it was read. */
export interface Directory {
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
export async function readNames(realRoot: string, portable: string, timeoutMs: number): Promise<Directory> {
  let isOpen = false;
  const read = async (withTypes: boolean): Promise<Directory> => {
    const reading = (): Promise<Directory> =>
      inDirectory(realRoot, portable, async (directory) => {
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
