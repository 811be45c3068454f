import { z } from "zod";
import { inTurns } from "../model/in-turns.ts";
import type { Tally } from "../model/outcome.ts";
import { Recent } from "../model/recent.ts";
import { LANES } from "./cut.ts";
import { entry, listRange, readVersioned, tally } from "./damaged.ts";
import { linesAt, toLine, type Ledger, type Lines, type ListRange } from "./ledger.ts";
import { listingName } from "./names.ts";

/** One part of a run. "0" is the whole of it, "0.3" the fourth part that it was cut into. */
export interface PartRef {
  run: string;
  part: string;
}

/** The part that is the whole run. */
export const WHOLE = "0";

/** A part as an activity or orchestration is given it: the whole of a run, or what another part left. */
export interface PartInput<Request, Own> extends PartRef {
  request: Request;
  left?: { own: Own; lines: Lines };
}

/** One batch of a part, as an activity is given it. */
export interface BatchRef extends PartRef {
  batch: number;
  lines: Lines;
}

/** One large file of a part: of each lane the first has the lane's number, the next that and LANES, and so on. */
export interface LargeRef extends PartRef {
  large: number;
  /** All files of the lane. */
  lines: Lines;
}

/** Some files of a list, for one activity. */
export interface Batch extends Lines {
  files: number;
  /** Bytes of content when it was listed. */
  bytes: number;
}

/**
 * What a part came to: written once as `lists/{part}.json`, for whoever reads the run later. The run itself goes by what
 * its orchestration hands on. Beside this a record has what its kind of run knows of a part.
 */
export interface PartRecord {
  version: 1;
  request: unknown;
  /** What was settled at once. */
  found: Tally;
  batches: Batch[];
  /** Large files: for each lane those that one orchestration takes in turn. */
  large: Lines[];
  /** What is left, for each sub-orchestration. */
  rest: Lines[];
  /** Files and bytes in the batches and large files together. */
  toDo: { files: number; bytes: number };
  /** Directories that it has a list of: a backup's. */
  directories?: ListRange;
  /** Why nothing can be done at all, for people. */
  problem?: string;
}

/** What is checked of every part's record. */
export const partRecord = z.looseObject({
  version: z.literal(1),
  found: tally,
  batches: z.array(listRange),
  large: z.array(listRange),
  rest: z.array(listRange),
});

/** Parts already read, by run and part: they are written once and never change. */
const recent = new Recent<PartRecord>(32);

/** The record of a part, or undefined when there is none yet. @throws DamagedRecord, NewerLedger */
export async function readPart<Of extends PartRecord>(
  ledger: Ledger,
  part: string,
  schema: z.ZodType,
): Promise<Of | undefined> {
  const read = () => readPartNow<Of>(ledger, part, schema);
  return (await recent.get(`${ledger.runId}/${part}`, read)) as Of | undefined;
}

/** The same of a run that a prune may have deleted since this process read it. */
export async function readPartNow<Of extends PartRecord>(
  ledger: Ledger,
  part: string,
  schema: z.ZodType,
): Promise<Of | undefined> {
  const text = await ledger.read(listingName(part));
  if (text === undefined) return undefined;
  return readVersioned<Of>(text, schema, ledger.runId, listingName(part));
}

/** Writes the record of a part. @returns whether there was none before */
export async function writePart(ledger: Ledger, part: string, record: PartRecord): Promise<boolean> {
  const { toDo, rest } = record;
  // In metadata, so that a run's progress is one list call.
  const metadata = { files: String(toDo.files), bytes: String(toDo.bytes), rest: String(rest.length) };
  return (await ledger.writeOnce(listingName(part), JSON.stringify(record), metadata)).won;
}

/** Writes a list, unless it is empty. @returns each of its pieces as a range of it */
export async function writePieces(
  ledger: Ledger,
  list: string,
  pieces: readonly (readonly unknown[])[],
): Promise<Lines[]> {
  const ranges: Lines[] = [];
  const texts: string[] = [];
  let offset = 0;
  for (const piece of pieces) {
    const text = (await inTurns(piece, toLine)).join("");
    const range = linesAt(list, offset, text);
    offset += range.length;
    ranges.push(range);
    texts.push(text);
  }
  if (texts.length > 0) await ledger.writeOnce(list, texts.join(""));
  return ranges;
}

/** The items of a batch. @throws ChangedRecord, DamagedRecord */
export async function openBatch<Item>(
  ledger: Ledger,
  { lines }: BatchRef,
  item: z.ZodType = entry,
): Promise<Item[]> {
  return await ledger.readLines<Item>(lines, item);
}

/** A large file; undefined after the last of its lane. @throws ChangedRecord, DamagedRecord */
export async function openLarge<Item>(
  ledger: Ledger,
  { large, lines }: LargeRef,
  item: z.ZodType = entry,
): Promise<Item | undefined> {
  return (await ledger.readLines<Item>(lines, item))[Math.floor(large / LANES)];
}
