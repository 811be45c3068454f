import type { Listed } from "../files/asks.ts";
import { awaitingHandles } from "../files/handles.ts";
import type { Name } from "../files/pinned-directory.ts";
import { inDirectory } from "../files/read-link.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";

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
