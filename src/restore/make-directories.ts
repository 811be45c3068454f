import { lstat, mkdir, unlink } from "node:fs/promises";
import path from "node:path";
import { openOwn, ownChild } from "../files/own-directory.ts";
import { ignore, inTheWay, NotADirectory, type PinnedDirectory } from "../files/pinned-directory.ts";
import { attributesOf } from "./attributes.ts";

/** Tries for a directory that others keep changing. */
const TRIES = 5;

/**
 * Opens a directory, making what is missing on the way, one step at a time from `realTo`. Each has the mode it is to
 * have from the start, and what its owner needs to write into it.
 * @param replace whether a file in the place of a directory is replaced; a link never is
 * @param modes of the directories on the way, the topmost first; one without is for its owner alone
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
      // What the umask and mkdir left out.
      if (made)
        await attributesOf(child)
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
