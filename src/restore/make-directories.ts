import { lstat, mkdir, unlink } from "node:fs/promises";
import path from "node:path";
import { openOwn, ownChild } from "../files/own-directory.ts";
import { ignore, inTheWay, NotADirectory, type PinnedDirectory } from "../files/pinned-directory.ts";
import { attributesAt } from "./attributes.ts";

/** Tries for a directory that others keep changing. */
const TRIES = 5;

/**
 * Opens a directory, making those that are missing, one step at a time from `realTo`. Each has its recorded mode from the
 * start, plus what its owner needs to write into it.
 * @param replace whether to replace a file in the place of a directory; a link never is
 * @param modes of the directories on the way, topmost first; a directory without one is made for its owner alone
 * @throws NotADirectory, or the file system's error
 */
export async function makeDirectories(
  realTo: string,
  portable: string,
  replace: boolean,
  modes: readonly (number | null)[] = [],
): Promise<PinnedDirectory> {
  try {
    return await openOwn(realTo, portable);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" && !(error instanceof NotADirectory)) throw error;
  }
  let at = await openOwn(realTo, "");
  const names = portable.split("/");
  for (let depth = 1; depth <= names.length; depth++) {
    const above = at;
    try {
      const mode = (modes[depth - 1] ?? 0) | 0o700;
      at = await makeChild(above, names.slice(0, depth).join("/"), replace, mode);
    } finally {
      await above.close();
    }
  }
  return at;
}

async function makeChild(
  above: PinnedDirectory,
  portable: string,
  replace: boolean,
  mode: number,
): Promise<PinnedDirectory> {
  const name = path.posix.basename(portable);
  const at = above.path(name);
  let made = false;
  for (let tries = 1; ; tries++) {
    try {
      const child = await ownChild(above, name);
      // Bits that the umask and mkdir dropped.
      if (made)
        await attributesAt(child)
          .chmod(mode)
          .catch(() => undefined);
      return child;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOTDIR" || code === "ELOOP") {
        const stats = await lstat(at);
        if (stats.isDirectory()) {
          if (tries === TRIES) throw new NotADirectory(`"${portable}" was moved meanwhile`, { cause: error });
          continue;
        }
        if (stats.isSymbolicLink() || !replace) throw inTheWay(portable, stats, error);
        await unlink(at).catch(ignore("ENOENT"));
      } else if (code !== "ENOENT") throw error;
    }
    made = (await mkdir(at, mode & 0o777).then(() => true, ignore("EEXIST"))) === true;
  }
}
