import { lanesOf } from "./lanes.ts";

/** The most batches of a part. */
export const MAX_BATCHES = 64;

const KIB = 1024;
const MIB = 1024 * KIB;
/** What a file costs besides its bytes, in bytes: a request takes about as long as sending this many. */
export const FILE_COST = 64 * KIB;
/**
 * The least cost that is worth an activity: 128 small files, a few tenths of a second to a second of work. The real engine
 * takes 20 to 25 ms to start each activity, one after another.
 */
export const WORTH_AN_ACTIVITY = 8 * MIB;
/** What a part's batches may cost on average, so that an activity ends in time on a slow connection too. */
export const MOST_A_BATCH = 64 * MIB;

/** What copying, restoring or reading back a file costs, in bytes. */
export function costOf({ size }: { size: number }): number {
  return size + FILE_COST;
}

/**
 * Divides the files of a part into batches of nearly equal cost, lanes of large files, and files left for later parts. A small
 * tree makes few batches, so it costs few activities; a large one spreads over machines.
 * @param largeFile bytes above which a file is a large file
 * @param mostLarge the most large files that this part takes
 * @param atLeast what a batch should cost, if there is enough
 */
export function cutIntoBatches<T extends { kind: string; size: number }>(
  files: readonly T[],
  largeFile: number,
  mostLarge = Infinity,
  atLeast = WORTH_AN_ACTIVITY,
): { batches: T[][]; lanes: T[][]; later: T[] } {
  const isLarge = ({ kind, size }: T): boolean => kind === "file" && size > largeFile;
  const large = files.filter(isLarge);
  const lanes = lanesOf(large.slice(0, mostLarge));
  const limit = MAX_BATCHES - lanes.length;
  const { now, later } = take(
    files.filter((file) => !isLarge(file)),
    limit * MOST_A_BATCH,
  );
  const worth = Math.max(1, Math.floor(weigh(now, costOf) / atLeast));
  const batches = cutEvenly(now, costOf, Math.min(limit, worth));
  return { batches, lanes, later: [...later, ...large.slice(mostLarge)] };
}

/** Cuts items, in order, into pieces of nearly equal weight; if there are fewer items than pieces, into one for each item. */
export function cutEvenly<T>(items: readonly T[], weightOf: (item: T) => number, pieces: number): T[][] {
  const most = Math.min(pieces, items.length);
  const total = weigh(items, weightOf);
  const cut: T[][] = [];
  let first = 0;
  let weight = 0;
  items.forEach((item, index) => {
    weight += weightOf(item);
    const itemsLeft = items.length - index - 1;
    const piecesLeft = most - cut.length - 1;
    const hasShare = piecesLeft > 0 && weight >= (total * (cut.length + 1)) / most;
    // Keep at least one item for each remaining piece.
    if (!hasShare && itemsLeft > piecesLeft) return;
    cut.push(items.slice(first, index + 1));
    first = index + 1;
  });
  return cut;
}

/** Takes files up to a total cost, and at least one. */
function take<T extends { size: number }>(files: readonly T[], most: number): { now: T[]; later: T[] } {
  let cost = 0;
  const end = files.findIndex((file, index) => {
    cost += costOf(file);
    return index > 0 && cost > most;
  });
  return end === -1 ? { now: [...files], later: [] } : { now: files.slice(0, end), later: files.slice(end) };
}

export function weigh<T>(items: readonly T[], weightOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + weightOf(item), 0);
}
