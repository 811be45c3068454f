import pMap from "p-map";
import type { DirectoryLine } from "../ledger/directories.ts";
import type { Collected } from "./collect.ts";
import type { Pending, Walker } from "./walk.ts";

/** Directories looked up at a time; lookups wait for the disk or the share. */
const LOOKS = 64;

/**
 * The directories that a part read, and those that it found and leaves to other parts.
 * @param given what the part began with; other parts have recorded these names
 * @param until when to stop looking up, by the clock of `performance`
 */
export async function knownDirectories(
  walker: Walker,
  given: readonly Pending[],
  { directories, left }: Pick<Collected, "directories" | "left">,
  until: number,
): Promise<DirectoryLine[]> {
  const own = new Set(given.flatMap((item) => ("dir" in item ? [item.dir] : [])));
  const found = left.flatMap((item) => ("dir" in item && !own.has(item.dir) ? [item.dir] : []));
  const glances = await pMap(
    found,
    async (path) => ({
      ...(performance.now() < until ? await walker.glance(path) : { path }),
      left: true as const,
    }),
    { concurrency: LOOKS },
  );
  const read = directories.map((seen) => (own.has(seen.path) ? { ...seen, own: true as const } : seen));
  return [...read, ...glances];
}
