import { lstat } from "node:fs/promises";
import { locate } from "../files/read-file.ts";
import { withTimeout } from "../files/timeout.ts";
import { joinPath } from "../model/path.ts";

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
