import type { Ledger } from "../ledger/ledger.ts";
import { isOfDirectories, partOfRecord } from "../ledger/names.ts";
import { LONGEST_LINE, MOST_OF_MANY } from "../ledger/read-blob.ts";
import { takingTurns } from "../model/in-turns.ts";
import { classify } from "../storage/errors.ts";
import { parseLine, type Line } from "./line.ts";
import type { Piece } from "./piece.ts";
import type { ManifestBlob } from "./run-map.ts";

/** Bytes of a record that is read in one request. */
const AT_ONCE = 8 * 1024 * 1024;
/** Lines in a page. */
const PAGE = 1000;
/** Defects of a record that are named; the next one says that there are more. */
const NAMED = 100;

/** Called for each defect in a record: its name below the run's folder, and what is wrong. */
export type OnDamage = (name: string, reason: string) => void;

/** A cache of records' texts. */
interface Texts {
  get(name: string, read: () => Promise<string | undefined>): Promise<string | undefined>;
}

/** A sorted record as a piece of a manifest. */
export function blobPiece(
  ledger: Ledger,
  blob: ManifestBlob & Required<Pick<ManifestBlob, "fences">>,
  onDamage: OnDamage,
  texts?: Texts,
): Piece {
  const { name, bytes, fences } = blob;
  return {
    ...fences,
    bytes,
    depth: partOfRecord(name).split(".").length,
    ofDirectories: isOfDirectories(name),
    pages: () => linesOf(ledger, blob, onDamage, texts),
    ...(texts
      ? { line: async (key) => lineIn((await texts.get(name, () => ledger.read(name))) ?? "", key) }
      : {}),
  };
}

/** A line of a sorted text, found by halving it; undefined if it is not there, or is hidden by damage. */
function lineIn(text: string, key: string): Line | undefined {
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const from = middle === 0 ? 0 : Math.max(low, text.lastIndexOf("\n", middle - 1) + 1);
    const to = text.indexOf("\n", from);
    const line = to < 0 ? undefined : parseLine(text.slice(from, to));
    if (typeof line !== "object") return undefined;
    if (line.key === key) return line;
    if (line.key < key) low = to + 1;
    else high = from;
  }
  return undefined;
}

/** The lines of a record, in pages. Damaged lines are left out; so are, in a sorted record, lines that are out of order. */
export async function* linesOf(
  ledger: Ledger,
  { name, bytes = 0, fences }: Pick<ManifestBlob, "name"> & Partial<ManifestBlob>,
  onDamage: OnDamage,
  texts?: Texts,
): AsyncGenerator<Line[]> {
  const turn = takingTurns();
  let lines: Line[] = [];
  let number = 0;
  let defects = 0;
  const defect = (reason: string): void => {
    defects++;
    if (defects <= NAMED) onDamage(name, `line ${number} ${reason}`);
    if (defects === NAMED + 1) onDamage(name, `line ${number} and others are damaged, too`);
  };
  let last = fences?.first ?? "";
  for await (const json of jsonLines(ledger, { name, bytes }, onDamage, texts)) {
    number++;
    const line = parseLine(json);
    if (typeof line === "string") defect(line);
    else if (fences && (line.key < last || line.key > fences.last)) defect("is not in its place");
    else lines.push(line);
    if (typeof line !== "string" && line.key > last) last = line.key;
    await turn();
    if (lines.length < PAGE) continue;
    yield lines;
    lines = [];
  }
  if (lines.length > 0) yield lines;
}

/** A record, line by line. Each line ends in a newline, so that a record that was cut short shows. */
async function* jsonLines(
  ledger: Ledger,
  blob: Pick<ManifestBlob, "name" | "bytes">,
  onDamage: OnDamage,
  texts?: Texts,
): AsyncGenerator<string> {
  let begun = "";
  for await (const text of textsOf(ledger, blob, onDamage, texts)) {
    let from = 0;
    for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
      yield begun + text.slice(from, to);
      begun = "";
      from = to + 1;
    }
    // A line that is too long is known as that by its beginning.
    begun += text.slice(from, from + Math.max(0, LONGEST_LINE + 1 - begun.length));
  }
  if (begun !== "") yield `${begun.slice(0, LONGEST_LINE)}torn`;
}

async function* textsOf(
  ledger: Ledger,
  { name, bytes }: Pick<ManifestBlob, "name" | "bytes">,
  onDamage: OnDamage,
  texts?: Texts,
): AsyncGenerator<string> {
  try {
    if (bytes > AT_ONCE && bytes <= MOST_OF_MANY) {
      const decoder = new TextDecoder();
      for await (const piece of ledger.readInPieces(name, bytes))
        yield decoder.decode(piece, { stream: true });
      return;
    }
    const text = await (texts ? texts.get(name, () => ledger.read(name)) : ledger.read(name));
    if (text !== undefined) return yield text;
  } catch (error) {
    if (classify(error) !== "missing") throw error;
  }
  onDamage(name, "the record is gone");
}
