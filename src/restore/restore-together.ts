import { rename, unlink } from "node:fs/promises";
import path from "node:path";
import pMap from "p-map";
import { byDirectory, tryInTarget, inTarget } from "../files/in-directory.ts";
import { LocalDisk } from "../files/local-disk.ts";
import { placeSmall } from "../files/write-small.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import type { Outcome } from "../model/outcome.ts";
import type { DiskPath } from "../model/path.ts";
import type { Read } from "../store/fetching.ts";
import { lookUp } from "./decide.ts";
import type { Begun } from "./in-place.ts";
import type { RestoreContext } from "./restore-context.ts";
import { CannotWrite } from "./restore-error.ts";
import { restoreItem } from "./restore-file.ts";
import { writeBeside } from "./write-content.ts";
import { QuickWriter } from "./write-quickly.ts";

/** The fewest items for which one flush of the file system takes less time than a flush of each file. */
const WORTH_A_FLUSH = 32;

/** Concurrent renames: with more, some would bypass the file thread while other files are written. */
const RENAMES = 16;

/** See Fetching.fetch. */
export type Fetch = (
  items: readonly PlannedItem[],
  work: (item: PlannedItem, read: Read) => Promise<Outcome | undefined>,
) => Promise<Outcome[]>;

/**
 * Restores items for the price of one flush: writes all of them beside their places, flushes the file system, and then
 * renames each.
 * @returns the outcomes; those of items for which this did not work are missing. Nothing of these is left on the disk, and
 *   they are to be restored one by one.
 * @throws storage errors that concern more than one item
 */
export async function restoreTogether(
  items: readonly PlannedItem[],
  { there }: Pick<Begun, "there">,
  context: RestoreContext,
  fetch: Fetch,
): Promise<Outcome[]> {
  if (items.length < WORTH_A_FLUSH) return [];
  const where = "looking up its file system";
  const disk = await inTarget(context, "", where, (to) => LocalDisk.of(to)).catch(() => undefined);
  if (!disk) return [];
  /** Temporary files by the path of the item: what is not in its place yet. */
  const written = new Map<string, string>();
  try {
    const outcomes = await writeAll(fetch, items, context, { device: disk.device, there, written });
    if (written.size > 0 && (await flush(disk, context))) await place(written, context);
    return outcomes.filter((outcome) => !written.has(outcome.path));
  } finally {
    await remove(written, context);
  }
}

/** Writes until the disk is full. Renaming what is written may make room again. */
async function writeAll(
  fetch: Fetch,
  items: readonly PlannedItem[],
  context: RestoreContext,
  { device, there, written }: { device: number; there: ReadonlySet<string>; written: Map<string, string> },
): Promise<Outcome[]> {
  const quick = new QuickWriter(context, device, written);
  let isFull = false;
  return await fetch(items, async (item, read) => {
    try {
      if (isFull) return undefined;
      const usually = writeBeside(read, device, written);
      if (there.has(item.path) || !quick.takes(item)) return await restoreItem(item, context, usually);
      return await restoreItem(item, context, usually, () => quick.write(item, read));
    } catch (error) {
      if (!(error instanceof CannotWrite)) throw error;
      isFull = true;
      return undefined;
    }
  });
}

/** @returns whether all that was written is on the disk */
async function flush(disk: LocalDisk, context: RestoreContext): Promise<boolean> {
  const flushing = inTarget(context, "", "flushing its file system", (to) => disk.flush(to));
  return await flushing.catch(() => false);
}

/** Renames what is written into its place, and forgets it; what cannot be renamed stays in `written`. */
async function place(written: Map<string, string>, context: RestoreContext): Promise<void> {
  const replace = context.overwrite !== "never";
  const quickly = async ([name, temporary]: [string, string]): Promise<void> => {
    if (await placeSmall(context.realTo, name, { temporary, replace })) written.delete(name);
  };
  await pMap(written, quickly, { concurrency: RENAMES });
  await inDirectories(written, context, async (temporary, at, name) => {
    // Something may have come there since it was looked up.
    if (!replace && (await lookUp(at))) return;
    await rename(temporary, at);
    written.delete(name);
  });
}

/** Removes what could not be renamed. */
async function remove(written: Map<string, string>, context: RestoreContext): Promise<void> {
  await inDirectories(written, context, (temporary) => unlink(temporary));
}

/** Does something with each file that is written, if possible. */
async function inDirectories(
  written: Map<string, string>,
  context: RestoreContext,
  work: (temporary: DiskPath, at: DiskPath, name: string) => Promise<void>,
): Promise<void> {
  const files = [...written].map(([name, temporary]) => ({ path: name, temporary }));
  for (const [portable, inside] of byDirectory(files)) {
    await tryInTarget(context, portable, async (directory) => {
      const all = inside.map(async ({ path: name, temporary }) => {
        await work(directory.path(temporary), directory.path(path.posix.basename(name)), name);
      });
      await Promise.allSettled(all);
    });
  }
}
