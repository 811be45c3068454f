import type { Fences } from "../ledger/fences.ts";
import type { KeyRange } from "../model/order.ts";
import { combine, type Line } from "./line.ts";

/** The depth of what was sorted here, of whatever parts it is. */
export const SORTED_HERE = Infinity;

/** Sorted lines that are read together: a record of the ledger, or a piece of what was sorted here. */
export interface Piece extends Fences {
  /** About how much is read. */
  bytes: number;
  /** The depth of the part whose lines these are: the deepest know a name best. */
  depth: number;
  /** Only names of directories are in it. */
  ofDirectories: boolean;
  /** The lines in order, some at a time. */
  pages(): AsyncGenerator<Line[]>;
}

export function isWithin(key: string, { from, to }: KeyRange): boolean {
  return key >= from && (to === undefined || key < to);
}

export function overlaps({ first, last }: Fences, { from, to }: KeyRange): boolean {
  return last >= from && (to === undefined || first < to);
}

/** Pieces whose reading begins before they are needed: at most so many, of so many bytes. */
const AHEAD = { pieces: 16, bytes: 4 * 1024 * 1024 };

/** The lines of a piece, as far as they are read. */
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
 * Merges pieces: their lines in order, one a key. Each piece is read once, when its first line may be the next, so that only
 * pieces which overlap are in memory at the same time.
 */
export async function* merge(pieces: readonly Piece[]): AsyncGenerator<Line> {
  const waiting = pieces.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const begun = new Map<Piece, Begun>();
  const open: Cursor[] = [];
  let next = 0;
  const begin = (piece: Piece): Begun => {
    const before = begun.get(piece);
    if (before) return before;
    const pages = piece.pages();
    const page = pages.next();
    // Nobody may come to wait for it.
    page.catch(() => undefined);
    const now = { pages, page };
    begun.set(piece, now);
    return now;
  };
  const readAhead = (): void => {
    let bytes = 0;
    for (const piece of waiting.slice(next, next + AHEAD.pieces)) {
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

/** Puts a cursor on the first line of the next page that has any. */
async function advance(
  cursor: Omit<Cursor, "line"> & { line?: Line },
  page: IteratorResult<Line[], void>,
): Promise<Cursor | undefined> {
  let read = page;
  while (!read.done && read.value.length === 0) read = await cursor.pages.next();
  const [line] = read.value ?? [];
  return line && Object.assign(cursor, { page: read.value as Line[], at: 0, line });
}
