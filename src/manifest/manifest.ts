import { Ledger } from "../ledger/ledger.ts";
import { allBelow, directoryKey, keyOf, namesIn, type KeyRange } from "../model/order.ts";
import { Recent } from "../model/recent.ts";
import { blobPiece, type OnDamage } from "./blob-piece.ts";
import { combine, type Line, type ManifestEntry } from "./line.ts";
import { isWithin, merge, overlaps, SORTED_HERE, type Piece } from "./piece.ts";
import { mapRun, type Account, type ManifestBlob, type RunMap } from "./run-map.ts";
import { borrowSpool, type Borrowed } from "./spool.ts";
import { hasDirectories, markOf, unorderedLines } from "./unordered.ts";

/** Records of at most so many bytes are kept, the last few that were read. */
const KEPT_BYTES = 4 * 1024 * 1024;
const KEPT = 4;

/** Where a page of names begins. */
export interface After {
  /** The last path of the page before. */
  after?: string;
}

/**
 * A run's tree as one sorted whole: by directory, then by name (model/order.ts). It is read from the records of the run's
 * outcomes, of which each is sorted and says in its metadata between which names it is: one list call for 5,000 records
 * tells which of them may have a path. They are read as something that others may have written: every line is checked.
 *
 * A run that still goes on is read as far as it is when the manifest is opened.
 *
 * What older releases wrote is in no order. It is read whole, once, at the first question, and sorted in a temporary file of
 * about its size, which other manifests of the same run in this process share.
 */
export class Manifest implements AsyncDisposable {
  /** What is there to be read. */
  readonly map: RunMap;
  readonly #ledger: Ledger;
  readonly #onDamage: OnDamage;
  readonly #texts = new Recent<string>(KEPT);
  readonly #isOld: boolean;
  #unordered: Promise<Borrowed> | undefined;

  private constructor(ledger: Ledger, map: RunMap, onDamage: OnDamage) {
    this.#ledger = ledger;
    this.map = map;
    this.#onDamage = onDamage;
    const isUnordered = ({ fences, bytes }: ManifestBlob): boolean => !fences && bytes > 0;
    this.#isOld = !hasDirectories(map) || map.outcomes.some(isUnordered);
  }

  /**
   * Makes one list call for 5,000 records. Of a run that does not exist the manifest is empty.
   * @param onDamage is told what is wrong with a record that is read; what else it says is given
   */
  static async open(account: Account, run: string, onDamage: OnDamage = () => undefined): Promise<Manifest> {
    return new Manifest(new Ledger(account.service, run), await mapRun(account, run), onDamage);
  }

  /** To be called when nothing of it is read any more. */
  async close(): Promise<void> {
    (await this.#unordered?.catch(() => undefined))?.release();
    this.#unordered = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * What the run says of a path; undefined where nothing. "" is the root. It reads the records that may have it, at most two of
   * each level of parts, and one more where it may be a directory.
   */
  async entry(path: string): Promise<ManifestEntry | undefined> {
    const named = path === "" ? undefined : await this.#at(keyOf(path));
    if (named && (named.kind !== "directory" || named.mtime !== undefined)) return named;
    // Its own part may have looked where the one that found it had not the time to.
    const own = path === "" || named ? await this.#at(directoryKey(path), true) : undefined;
    return named && own ? { ...own, ...named } : (named ?? own);
  }

  /**
   * The names in a directory, in order: files, links, and subdirectories, into which it does not look. Of what is no directory
   * there are none.
   */
  async *directory(path: string, { after }: After = {}): AsyncGenerator<ManifestEntry> {
    yield* this.#entries(from(namesIn(path), after));
  }

  /** Everything below a directory, in order: a sorted merge that reads each record once, and has those in memory that overlap. */
  async *walk(path = "", { after }: After = {}): AsyncGenerator<ManifestEntry> {
    yield* this.#entries(from(allBelow(path), after));
  }

  /**
   * The same between two places of the order; see keyOf. What is wrong with a record is told where its beginning is between
   * them, so that of ranges side by side one tells it.
   */
  async *between(range: KeyRange): AsyncGenerator<ManifestEntry> {
    yield* this.#entries(range, (place) => isWithin(place, range));
  }

  async *#entries(range: KeyRange, tells?: (place: string) => boolean): AsyncGenerator<ManifestEntry> {
    for await (const { key, entry, own } of merge(await this.#piecesIn(range, tells))) {
      if (range.to !== undefined && key >= range.to) return;
      if (!own && key >= range.from) yield entry;
    }
  }

  /** @param own what a directory says of itself */
  async #at(key: string, own = false): Promise<ManifestEntry | undefined> {
    const pieces = await this.#piecesIn({ from: key, to: `${key}\0` });
    pieces.sort((a, b) => b.depth - a.depth || Number(a.ofDirectories) - Number(b.ofDirectories));
    let found: Line | undefined;
    for (const piece of pieces) {
      // What becomes of a name is never recorded by a part above the one that found it.
      const isKnown = found?.entry.mtime !== undefined || found?.entry.outcome !== undefined;
      if (isKnown && piece.depth !== SORTED_HERE) break;
      if (own && !piece.ofDirectories && piece.depth !== SORTED_HERE) continue;
      const line = await lineAt(piece, key, own);
      found = line && found ? combine(found, line) : (line ?? found);
    }
    return found?.entry;
  }

  /** @param tells whether to tell what is wrong with a record that begins at a place */
  async #piecesIn(range: KeyRange, tells: (place: string) => boolean = () => true): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const { fences, ...blob } of [...this.map.outcomes, ...this.map.directories]) {
      if (!fences || !overlaps(fences, range)) continue;
      const onDamage = tells(fences.first) ? this.#onDamage : () => undefined;
      const texts = blob.bytes <= KEPT_BYTES ? this.#texts : undefined;
      pieces.push(blobPiece(this.#ledger, { ...blob, fences }, onDamage, texts));
    }
    if (!this.#isOld) return pieces;
    this.#unordered ??= borrowSpool(markOf(this.#ledger, this.map), (onDamage) =>
      unorderedLines(this.#ledger, this.map, onDamage),
    );
    const { spool } = await this.#unordered;
    if (tells(directoryKey(""))) for (const { name, reason } of spool.damage) this.#onDamage(name, reason);
    return [...pieces, ...spool.pieces.filter((piece) => overlaps(piece, range))];
  }
}

function from(range: KeyRange, after: string | undefined): KeyRange {
  return after === undefined ? range : { ...range, from: `${keyOf(after)}\0` };
}

async function lineAt(piece: Piece, key: string, own: boolean): Promise<Line | undefined> {
  for await (const page of piece.pages()) {
    for (const line of page) {
      if (line.key > key) return undefined;
      if (line.key === key && (line.own === true) === own) return line;
    }
  }
  return undefined;
}
