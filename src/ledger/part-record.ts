import { z } from "zod";
import { inTurns } from "../model/in-turns.ts";
import type { Tally } from "../model/outcome.ts";
import { Recent } from "../model/recent.ts";
import { LANES } from "./cut.ts";
import { readVersioned } from "./damaged.ts";
import { linesAt, toLine, type Ledger, type Lines, type ListRange } from "./ledger.ts";
import { listingName } from "./names.ts";
import { entry, listRange, tally } from "./schemas.ts";

/** A part of a run: "0" is the whole tree, "0.3" the fourth of the parts that it left. */
export interface PartRef {
  run: string;
  part: string;
}

/** The first part of a run, which is the whole tree. */
export const WHOLE = "0";

/** A part, as the input of an activity or orchestration: the whole tree, or what another part left. */
export interface PartInput<Request, Own> extends PartRef {
  request: Request;
  left?: { own: Own; lines: Lines };
}

/** A batch, as an activity's input. */
export interface BatchRef extends PartRef {
  batch: number;
  lines: Lines;
}

/** A large file of a part. The first of each lane has the lane's number; each further one adds LANES. */
export interface LargeRef extends PartRef {
  large: number;
  /** All files of the lane. */
  lines: Lines;
}

/** A batch, as a part's record has it. */
interface Batch extends Lines {
  files: number;
  /** The files' bytes when they were listed. */
  bytes: number;
}

/**
 * The record of a part, written once as `lists/{part}.json` for later readers; the run itself uses what its orchestration
 * passes on. Each kind of run adds fields of its own.
 */
export interface PartRecord {
  version: 1;
  request: unknown;
  /** What was settled while listing or planning. */
  found: Tally;
  batches: Batch[];
  /** Large files, by lane. */
  large: Lines[];
  /** What is left, by further part. */
  rest: Lines[];
  /** Files and bytes in the batches and large files together. */
  toDo: { files: number; bytes: number };
  /** The list of a backup's directories. */
  directories?: ListRange;
  /** Why nothing can be done, as a message. */
  problem?: string;
}

export const partRecord = z.looseObject({
  version: z.literal(1),
  found: tally,
  batches: z.array(listRange),
  large: z.array(listRange),
  rest: z.array(listRange),
});

/** Parts that were read, by run and part. They never change. */
const recent = new Recent<PartRecord>(32);

/** The record of a part, or undefined if there is none yet. @throws DamagedRecord, NewerLedger */
export async function readPart<Of extends PartRecord>(
  ledger: Ledger,
  part: string,
  schema: z.ZodType,
): Promise<Of | undefined> {
  const read = () => readPartNow<Of>(ledger, part, schema);
  return (await recent.get(`${ledger.runId}/${part}`, read)) as Of | undefined;
}

/** The same, not from the cache: a prune may have deleted the run since this process read it. */
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

/** Writes pieces as one list, unless there are none. @returns the range of each piece */
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

/** A large file, or undefined after the last of its lane. @throws ChangedRecord, DamagedRecord */
export async function openLarge<Item>(
  ledger: Ledger,
  { large, lines }: LargeRef,
  item: z.ZodType = entry,
): Promise<Item | undefined> {
  return (await ledger.readLines<Item>(lines, item))[Math.floor(large / LANES)];
}
