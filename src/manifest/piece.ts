import type { Fences } from "../ledger/metadata.ts";
import { compareKeys, type KeyRange } from "../model/order.ts";
import { combine, type Line } from "./line.ts";

/** The depth of lines that this process sorted, whatever parts they are from. */
export const SORTED_HERE = Infinity;

/** Sorted lines that are read together: a record of the ledger, or a block of a spool. */
export interface Piece extends Fences {
  /** About how many bytes are read. */
  bytes: number;
  /** How many parts lie above the one that these lines are from, itself included. */
  depth: number;
  /** It lists directories only. */
  ofDirectories: boolean;
  /** The lines in order, in pages. */
  pages(): AsyncGenerator<Line[]>;
  /** A line, found without reading the others; undefined does not say that there is none. */
  line?(key: string): Promise<Line | undefined>;
}

export function overlaps({ first, last }: Fences, { from, to }: KeyRange): boolean {
  return last >= from && (to === undefined || first < to);
}

/** Whether a record may have a line in one of some ranges. One without fences may have any. */
export function mayHold(fences: Fences | undefined, ranges: readonly KeyRange[]): boolean {
  return !fences || ranges.some((range) => overlaps(fences, range));
}

/** How far reading runs ahead of the merge: at first, which may soon end, by as many pieces as it has begun. */
const AHEAD = { pieces: 16, bytes: 4 * 1024 * 1024 };

/** A piece that is being read. */
interface Cursor {
  line: Line;
  page: Line[];
  at: number;
  pages: AsyncGenerator<Line[]>;
}

interface Begun {
  pages: AsyncGenerator<Line[]>;
  page: Promise<IteratorResult<Line[], void>>;
}

/**
 * Merges the lines of pieces, one for each key. A piece is read once, when its first line may be next, so that only pieces
 * that overlap are in memory together.
 */
export async function* merge(pieces: readonly Piece[]): AsyncGenerator<Line> {
  const waiting = pieces.toSorted((a, b) => compareKeys(a.first, b.first));
  const begun = new Map<Piece, Begun>();
  const open: Cursor[] = [];
  let next = 0;
  const begin = (piece: Piece): Begun => {
    const before = begun.get(piece);
    if (before) return before;
    const pages = piece.pages();
    const page = pages.next();
    // The merge may end before it gets there.
    page.catch(() => undefined);
    const now = { pages, page };
    begun.set(piece, now);
    return now;
  };
  const readAhead = (): void => {
    let bytes = 0;
    for (const piece of waiting.slice(next, next + Math.min(next, AHEAD.pieces))) {
      if ((bytes += piece.bytes) > AHEAD.bytes) break;
      begin(piece);
    }
  };
  try {
    let last: Line | undefined;
    for (;;) {
      let least = leastOf(open);
      for (
        let piece = waiting[next];
        piece && (!least || piece.first <= least.line.key);
        piece = waiting[next]
      ) {
        const { pages, page } = begin(piece);
        begun.delete(piece);
        next++;
        readAhead();
        const cursor = await advance({ pages, page: [], at: 0 }, await page);
        if (cursor) open.push(cursor);
        least = leastOf(open);
      }
      if (!least) break;
      const { line } = least;
      if (last?.key === line.key) last = combine(last, line);
      else {
        if (last) yield last;
        last = line;
      }
      const following = least.page[least.at + 1];
      if (following) {
        least.at++;
        least.line = following;
      } else if (!(await advance(least, await least.pages.next()))) open.splice(open.indexOf(least), 1);
    }
    if (last) yield last;
  } finally {
    await Promise.all([...open, ...begun.values()].map(({ pages }) => pages.return(undefined)));
  }
}

function leastOf(open: readonly Cursor[]): Cursor | undefined {
  let least = open[0];
  for (const cursor of open) if (least && cursor.line.key < least.line.key) least = cursor;
  return least;
}

/** Moves a cursor to the first line of the next page that has one. */
async function advance(
  cursor: Omit<Cursor, "line"> & { line?: Line },
  page: IteratorResult<Line[], void>,
): Promise<Cursor | undefined> {
  let read = page;
  while (!read.done && read.value.length === 0) read = await cursor.pages.next();
  const [line] = read.value ?? [];
  return line && Object.assign(cursor, { page: read.value as Line[], at: 0, line });
}
