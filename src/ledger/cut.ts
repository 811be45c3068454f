/** The most batches of a part. */
export const MAX_BATCHES = 64;
/** The most lanes that the large files of a part are divided among. */
export const LANES = 16;
/** The most parts that one part leaves. With 64 batches, an orchestration's history then stays under 500 events. */
export const MAX_PARTS = 32;
/** The most files of a batch on average: 16 batches may be open in a process, with an entry and an outcome of each file. */
const MOST_FILES = 10_000;

const KIB = 1024;
const MIB = 1024 * KIB;
/** What copying, restoring or reading back files costs, in bytes: a request takes about as long as sending some. */
export interface BatchCost {
  /** Of a file, besides its bytes. */
  ofFile: number;
  /** The least that is worth an activity: the real engine takes 20 to 25 ms to start each, one after another. */
  worth: number;
  /** What a part's batches may cost on average, so that an activity ends in time on a slow connection too. */
  most: number;
}

/** Where each file is a request. What is worth an activity is 128 small files, a few tenths of a second to a second of work. */
export const COST_OF_FILES: BatchCost = { ofFile: 64 * KIB, worth: 8 * MIB, most: 64 * MIB };

/**
 * Divides the files of a part into batches of nearly equal cost, lanes of large files, and files left for later parts. A small
 * tree makes few batches, so it costs few activities; a large one spreads over machines.
 * @param limits `largeFile`: bytes above which a file is a large file; `mostLarge`: the most large files that this part takes
 */
export function cutIntoBatches<T extends { kind: string; size: number }>(
  files: readonly T[],
  { ofFile, worth, most }: BatchCost,
  { largeFile, mostLarge = Infinity }: { largeFile: number; mostLarge?: number },
): { batches: T[][]; lanes: T[][]; later: T[] } {
  const isLarge = ({ kind, size }: T): boolean => kind === "file" && size > largeFile;
  const costOf = ({ size }: T): number => size + ofFile;
  const large = files.filter(isLarge);
  const lanes = lanesOf(large.slice(0, mostLarge));
  const limit = MAX_BATCHES - lanes.length;
  const small = files.filter((file) => !isLarge(file));
  const { now, later } = take(small, costOf, limit * most);
  const pieces = Math.max(1, Math.floor(weigh(now, costOf) / worth), Math.ceil(now.length / MOST_FILES));
  const batches = cutEvenly(now, costOf, Math.min(limit, pieces));
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
function take<T>(files: readonly T[], costOf: (file: T) => number, most: number): { now: T[]; later: T[] } {
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

/**
 * Divides what is left of a part among further parts of nearly equal weight.
 * @param most the most a part should weigh; MAX_PARTS comes first
 * @param atLeast the least number of parts, if there are enough items
 */
export function cutRest<T>(
  left: readonly T[],
  weightOf: (item: T) => number,
  most: number,
  atLeast = 1,
): T[][] {
  const parts = Math.max(atLeast, Math.ceil(weigh(left, weightOf) / most));
  return cutEvenly(left, weightOf, Math.min(MAX_PARTS, parts));
}

/** The files of each lane: file `n` is in lane `n % LANES`. */
function lanesOf<T>(files: readonly T[]): T[][] {
  return Array.from({ length: Math.min(LANES, files.length) }, (_none, lane) =>
    files.filter((_file, number) => number % LANES === lane),
  );
}
