import pMap from "p-map";
import { lstat } from "node:fs/promises";
import { locate } from "../files/read-file.ts";
import { withTimeout } from "../files/timeout.ts";
import type { DirectoryLine } from "../ledger/directories.ts";
import { attributesOf, type Attributes } from "../model/entry.ts";
import type { Collected } from "./collect.ts";
import type { Pending } from "./seen.ts";

/** Concurrent directory lookups; they wait for the disk or the share. */
const LOOKS = 64;

type Glance = { path: string } & Partial<Attributes>;

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
