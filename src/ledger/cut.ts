/** The most activities that one orchestration fans out; with it the history stays under 500 events. */
export const MAX_BATCHES = 64;
/** The most parts that one part leaves: with 64 batches the history of an orchestration stays under 500 events. */
export const MAX_PARTS = 32;
/** Orchestrations that the large files of a part are shared among. */
export const LANES = 16;

const KIB = 1024;
const MIB = 1024 * KIB;
/** What a file costs beside its bytes, in bytes: about what a request takes of the time that sending takes. */
export const FILE_COST = 64 * KIB;
/**
 * What an activity is worth: 128 small files, some tenths of a second to a second of work, where the real engine takes
 * 20 to 25 ms for each activity, one after another.
 */
const WORTH_AN_ACTIVITY = 8 * MIB;
/** What the batches of an orchestration may cost on average, so that an activity ends in time on a slow line as well. */
export const MOST_A_BATCH = 64 * MIB;

/** What copying a file, restoring it or reading it back costs, in bytes sent. */
export function costOf({ size }: { size: number }): number {
  return size + FILE_COST;
}

/**
 * Divides the files of a part: into batches of nearly equal cost, as many as it is worth, so that small trees cost few
 * activities, and large ones spread over machines; into lanes of large files; and into what is left for other parts.
 * @param largeFile bytes; what is larger is a large file
 * @param mostLarge large files that this part takes
 */
export function cutIntoBatches<T extends { kind: string; size: number }>(
  files: readonly T[],
  largeFile: number,
  mostLarge = Infinity,
): { batches: T[][]; lanes: T[][]; later: T[] } {
  const isLarge = ({ kind, size }: T): boolean => kind === "file" && size > largeFile;
  const large = files.filter(isLarge);
  const lanes = lanesOf(large.slice(0, mostLarge));
  const limit = MAX_BATCHES - lanes.length;
  const { now, later } = take(
    files.filter((file) => !isLarge(file)),
    limit * MOST_A_BATCH,
  );
  const worth = Math.max(1, Math.floor(weigh(now, costOf) / WORTH_AN_ACTIVITY));
  const batches = cutEvenly(now, costOf, Math.min(limit, worth));
  return { batches, lanes, later: [...later, ...large.slice(mostLarge)] };
}

/**
 * Divides what is left of a part among other parts, of nearly equal weight.
 * @param most that a part is to weigh, unless there would be too many parts
 * @param atLeast parts, where there are so many items
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

/** Cuts items, in their order, into so many pieces of nearly equal weight; into one an item where there are fewer. */
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
    // Each item that is left may be needed for a piece of its own.
    if (!hasShare && itemsLeft > piecesLeft) return;
    cut.push(items.slice(first, index + 1));
    first = index + 1;
  });
  return cut;
}

/** The files of each lane; the file with the number `n` is in the lane `n % LANES`. */
function lanesOf<T>(files: readonly T[]): T[][] {
  return Array.from({ length: Math.min(LANES, files.length) }, (_none, lane) =>
    files.filter((_file, number) => number % LANES === lane),
  );
}

/** Takes as many files as may cost so much together, at least one. */
function take<T extends { size: number }>(files: readonly T[], most: number): { now: T[]; later: T[] } {
  let cost = 0;
  const end = files.findIndex((file, index) => {
    cost += costOf(file);
    return index > 0 && cost > most;
  });
  return end === -1 ? { now: [...files], later: [] } : { now: files.slice(0, end), later: files.slice(end) };
}

function weigh<T>(items: readonly T[], weightOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + weightOf(item), 0);
}
