import pMap from "p-map";
import { Ledger } from "../ledger/ledger.ts";
import type { Fences } from "../ledger/metadata.ts";
import { allBelow, directoryKey, keyOf, namesIn, type KeyRange } from "../model/order.ts";
import { Recent } from "../model/recent.ts";
import { blobPiece, type OnDamage } from "./blob-piece.ts";
import { combine, type Line, type ManifestEntry } from "./line.ts";
import { merge, overlaps, SORTED_HERE, type Piece } from "./piece.ts";
import { boundOverlap, mapRun, type Account, type ManifestBlob, type RunMap } from "./run-map.ts";
import { borrowSpool, type Borrowed } from "./spool.ts";
import { hasDirectories, markOf, unorderedLines } from "./unordered.ts";

/** The largest record to keep in memory once read, in bytes. */
const KEPT_BYTES = 8 * 1024 * 1024;
/** How many records to keep: the last ones read. */
const KEPT = 2;
/** If a run's records have no more bytes than this in all, all are kept. */
const ALL_KEPT_BYTES = 8 * 1024 * 1024;
/** Records to read ahead. */
const AHEAD = 8;

/** What was read of runs that have ended: their lists of records, and records. */
const ended = new Recent<{ map: RunMap; texts: Recent<string> }>(2);

/** Where a page of names starts. */
export interface After {
  /** The last path of the previous page. */
  after?: string;
}

/**
 * A run's tree as one sorted whole: by directory, then by name (model/order.ts). It is read from the run's outcomes. Each of
 * their records is sorted, and its metadata gives its first and last key, so one list call for 5,000 records shows which of
 * them may hold a path. Others may have written the ledger, so every line is checked.
 *
 * A run in progress is read as it was when the manifest was opened.
 *
 * Records of older releases are not sorted. The first question reads all of them, once, and sorts them in a temporary file of
 * about their size, which other manifests of the same run in this process share.
 */
export class Manifest implements AsyncDisposable {
  /** The run's records. */
  readonly map: RunMap;
  readonly ledger: Ledger;
  readonly #onDamage: OnDamage;
  readonly #texts: Recent<string>;
  readonly #isOld: boolean;
  #unordered: Promise<Borrowed> | undefined;

  private constructor(ledger: Ledger, map: RunMap, onDamage: OnDamage, texts = textsOf(map)) {
    this.ledger = ledger;
    this.map = map;
    this.#onDamage = onDamage;
    this.#texts = texts;
    const isUnordered = ({ fences, bytes }: ManifestBlob): boolean => !fences && bytes > 0;
    this.#isOld = !hasDirectories(map) || map.outcomes.some(isUnordered);
  }

  /**
   * Makes one list call for every 5,000 records. The manifest of a run that does not exist is empty.
   * @param onDamage called for each defect in a record that is read; the rest of the record is used
   */
  static async open(account: Account, run: string, onDamage: OnDamage = () => undefined): Promise<Manifest> {
    return new Manifest(new Ledger(account.service, run), boundOverlap(await mapRun(account, run)), onDamage);
  }

  /** The same for a run that has ended. This process keeps what it reads of it for the next manifest. */
  static async openEnded(account: Account, run: string, onDamage: OnDamage): Promise<Manifest> {
    const { map, texts } = await ended.get(run, async () => {
      const read = boundOverlap(await mapRun(account, run));
      return { map: read, texts: textsOf(read) };
    });
    return new Manifest(new Ledger(account.service, run), map, onDamage, texts);
  }

  /** Reads the outcomes of a small run ahead, so that `find` need not wait. @throws errors of the account, retried already */
  async readAhead(): Promise<void> {
    if (!isSmall(this.map)) return;
    const read = ({ name }: ManifestBlob) => this.#texts.get(name, () => this.ledger.read(name));
    await pMap(this.map.outcomes, read, { concurrency: AHEAD });
  }

  /** Releases what it holds. Call it once nothing is read any more. */
  async close(): Promise<void> {
    (await this.#unordered?.catch(() => undefined))?.release();
    this.#unordered = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * What the run says of a path, or undefined. "" is the root. Reads the records that may hold it, the deepest part's first,
   * until it is found: at most two for each level of parts, and one more where the path may be a directory.
   * @throws errors of the account, retried already
   */
  async entry(path: string): Promise<ManifestEntry | undefined> {
    const named = path === "" ? undefined : await this.#at(keyOf(path));
    if (named && (named.kind !== "directory" || named.mtime !== undefined)) return named;
    // The part that found it may have had no time to look; the part that read it says what it was.
    const own = path === "" || named ? await this.#at(directoryKey(path), true) : undefined;
    return named && own ? { ...own, ...named } : (named ?? own);
  }

  /**
   * The names in a directory, in order: files, links and subdirectories, without a look into those. None if the path is not a
   * directory. Reads the records that may hold some of them, each once.
   * @throws errors of the account, retried already
   */
  async *directory(path: string, { after }: After = {}): AsyncGenerator<ManifestEntry> {
    yield* this.#entries(from(namesIn(path), after));
  }

  /**
   * Everything below a directory, in order: a merge that reads each record once and keeps only those in memory that overlap.
   * @throws errors of the account, retried already
   */
  async *walk(path = "", { after }: After = {}): AsyncGenerator<ManifestEntry> {
    yield* this.#entries(from(allBelow(path), after));
  }

  /** The lines of a range, in order, for the readers in this folder. */
  async *lines(range: KeyRange): AsyncGenerator<Line> {
    for await (const line of merge(await this.#piecesIn(range))) {
      if (range.to !== undefined && line.key >= range.to) return;
      if (line.key >= range.from) yield line;
    }
  }

  async *#entries(range: KeyRange): AsyncGenerator<ManifestEntry> {
    for await (const { entry, own } of this.lines(range)) if (!own) yield entry;
  }

  /**
   * Looks for many names at once. Reads each record that may hold some of them once.
   * @param keys in order; see keyOf
   * @returns what the run says of those it knows, and their places among the keys
   * @throws errors of the account, retried already
   */
  async *find(keys: readonly string[]): AsyncGenerator<{ at: number; entry: ManifestEntry }> {
    let at = 0;
    const pieces = await this.#piecesWhere((fences) => {
      const first = firstFrom(keys, fences.first);
      return first < keys.length && keys[first]! <= fences.last;
    });
    for await (const { key, entry, own } of merge(pieces.filter(({ ofDirectories }) => !ofDirectories))) {
      while (at < keys.length && keys[at]! < key) at++;
      if (at === keys.length) return;
      if (!own && keys[at] === key) yield { at, entry };
    }
  }

  /** @param own whether to find the line that a directory has about itself */
  async #at(key: string, own = false): Promise<ManifestEntry | undefined> {
    const pieces = await this.#piecesIn({ from: key, to: `${key}\0` });
    pieces.sort((a, b) => b.depth - a.depth || Number(a.ofDirectories) - Number(b.ofDirectories));
    let found: Line | undefined;
    let isKnown = false;
    for (const piece of pieces) {
      const isSpooled = piece.depth === SORTED_HERE;
      if (isKnown && !isSpooled) break;
      if (own && !piece.ofDirectories && !isSpooled) continue;
      const line = await lineAt(piece, key, own);
      if (!line) continue;
      found = found ? combine(found, line) : line;
      // A name's outcome is recorded by the part that found it, or by one below. Spooled lines are of any part.
      isKnown ||= line.entry.outcome !== undefined || (!isSpooled && line.entry.mtime !== undefined);
    }
    return found?.entry;
  }

  async #piecesIn(range: KeyRange): Promise<Piece[]> {
    return await this.#piecesWhere((fences) => overlaps(fences, range));
  }

  async #piecesWhere(wanted: (fences: Fences) => boolean): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const { fences, ...blob } of [...this.map.outcomes, ...this.map.directories]) {
      if (!fences || !wanted(fences)) continue;
      const texts = blob.bytes <= KEPT_BYTES ? this.#texts : undefined;
      pieces.push(blobPiece(this.ledger, { ...blob, fences }, this.#onDamage, texts));
    }
    if (!this.#isOld) return pieces;
    this.#unordered ??= borrowSpool(markOf(this.ledger, this.map), (onDamage) =>
      unorderedLines(this.ledger, this.map, onDamage),
    );
    const { spool } = await this.#unordered;
    for (const { name, reason } of spool.damage) this.#onDamage(name, reason);
    return [...pieces, ...spool.pieces.filter(wanted)];
  }
}

function isSmall({ outcomes, directories }: RunMap): boolean {
  return [...outcomes, ...directories].reduce((sum, { bytes }) => sum + bytes, 0) <= ALL_KEPT_BYTES;
}

function textsOf(map: RunMap): Recent<string> {
  return new Recent(isSmall(map) ? Infinity : KEPT);
}

function from(range: KeyRange, after: string | undefined): KeyRange {
  return after === undefined ? range : { ...range, from: `${keyOf(after)}\0` };
}

/** The place of the first key that is not before another. */
function firstFrom(keys: readonly string[], from: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function lineAt(piece: Piece, key: string, own: boolean): Promise<Line | undefined> {
  const found = await piece.line?.(key);
  if (found && (found.own === true) === own) return found;
  for await (const page of piece.pages()) {
    for (const line of page) {
      if (line.key > key) return undefined;
      if (line.key === key && (line.own === true) === own) return line;
    }
  }
  return undefined;
}
