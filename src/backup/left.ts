import { lstat } from "node:fs/promises";
import pMap from "p-map";
import { locate } from "../files/read-file.ts";
import { withTimeout } from "../files/timeout.ts";
import { cutRest } from "../ledger/cut.ts";
import type { DirectoryLine } from "../ledger/directories.ts";
import { attributesOf, type Attributes } from "../model/entry.ts";
import { directoryKey, inKeyOrder, keyOf } from "../model/order.ts";
import type { Collected } from "./collect.ts";
import type { Pending } from "./read-names.ts";

/** The least number of parts for directories of unknown size, if there are enough of them. */
const SHARE_AMONG = 8;
/** The most files assumed for a directory that is not read yet. */
const FILES_A_DIRECTORY = 8;
/** Concurrent directory lookups; they wait for the disk or the share. */
const LOOKS = 64;

type Glance = { path: string } & Partial<Attributes>;

/**
 * Cuts what is left to walk into parts, each a range of the manifest's order, so that few parts can hold a given path.
 * @param perListing the most files of one listing
 * @param seen what was met so far, to estimate the directories that are left
 */
export async function cutPending(
  left: readonly Pending[],
  perListing: number,
  seen: number,
): Promise<Pending[][]> {
  const directories = left.filter((item) => "dir" in item).length;
  const inDirectory = Math.min(FILES_A_DIRECTORY, Math.max(1, seen / directories));
  const weightOf = (item: Pending): number => ("dir" in item ? inDirectory : 1);
  const { sorted } = await inKeyOrder(left, placeOf);
  return cutRest(sorted, weightOf, perListing, Math.min(SHARE_AMONG, directories));
}

/** Everything below a directory sorts where its own names begin. */
function placeOf(item: Pending): string {
  return "dir" in item ? directoryKey(item.dir) : keyOf(item.file);
}

/** The attributes of a directory that is not read yet, as far as a lookup can tell. */
export async function glanceAt(realRoot: string, path: string, fileTimeoutMs: number): Promise<Glance> {
  try {
    const looking = lstat(locate(realRoot, path));
    return { path, ...attributesOf(await withTimeout(looking, fileTimeoutMs, "looking it up")) };
  } catch {
    return { path };
  }
}

/**
 * The directories that a part read, and those that it found and leaves to other parts.
 * @param glance looks one up
 * @param given what the part began with; other parts have recorded these names
 * @param until when to stop looking up, by the clock of `performance`
 */
export async function knownDirectories(
  glance: (path: string) => Promise<Glance>,
  given: readonly Pending[],
  { directories, left }: Pick<Collected, "directories" | "left">,
  until: number,
): Promise<DirectoryLine[]> {
  const own = new Set(given.flatMap((item) => ("dir" in item ? [item.dir] : [])));
  const found = left.flatMap((item) => ("dir" in item && !own.has(item.dir) ? [item.dir] : []));
  const glances = await pMap(
    found,
    async (path) => ({
      ...(performance.now() < until ? await glance(path) : { path }),
      left: true as const,
    }),
    { concurrency: LOOKS },
  );
  const read = directories.map((seen) => (own.has(seen.path) ? { ...seen, own: true as const } : seen));
  return [...read, ...glances];
}
