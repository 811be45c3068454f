import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { inTurns } from "../model/in-turns.ts";
import type { Outcome, Tally } from "../model/outcome.ts";
import type { Ledger, Lines } from "./ledger.ts";
import type { PartRecord } from "./part-record.ts";

/** How a kind of run lists or plans its parts. A part passes `Own` on to the parts it leaves. */
export interface PartKind<Own, Item, Left> extends Agreement<Own, Item, Left> {
  record: z.ZodType;
  /** `Own` of a part that could not begin. */
  unknown: Own;
  /** Begins a part. @param own from the part that left it; undefined for the whole tree @throws PartProblem */
  begin: (ledger: Ledger, own: Own | undefined) => Promise<Own>;
  /** @throws PartProblem */
  find: (own: Own, left: Left[] | undefined, ledger: Ledger) => Promise<Findings<Item, Left>>;
  /** Called in each delivery once the record is written. @param isMine whether this delivery wrote it */
  stands?: (ledger: Ledger, record: PartRecord, isMine: boolean) => Promise<void>;
}

/** What was found in a part, divided among its activities and sub-orchestrations. */
export interface Findings<Item, Left> {
  settled: readonly Outcome[];
  /** Patterns that matched something; see Filter. */
  matched: readonly number[];
  batches: Item[][];
  lanes: Item[][];
  rest: Left[][];
  /** Further fields for the record, and lists for it to name. */
  also?: object;
  lists?: Record<string, readonly unknown[]>;
}

/** What an orchestrator needs to know of a part. The lists themselves are in the ledger. */
export interface Part<Own> {
  own: Own;
  found: Tally;
  batches: Lines[];
  large: Lines[];
  rest: Lines[];
  /** Files and bytes in the batches and large files. */
  files: number;
  bytes: number;
  problem?: string;
}

/** What a part's record and its lists must agree with, because others may have written them. */
interface Agreement<Own, Item, Left> {
  /** The fields of a record that must be the same as here. */
  agreed: (own: Own) => unknown;
  /** A line of a batch, or of a lane of large files. */
  item: Line<Item, Own>;
  /** A line of what is left for further parts. */
  left: Line<Left, Own>;
}

interface Line<Of, Own> {
  line: z.ZodType;
  /** Whether this run may have written it. */
  covers: (line: Of, own: Own) => boolean;
}

/** A part cannot be processed. The message says why. */
export class PartProblem extends Error {}

/** Whether this run may have written a record that is already there. If not, a stranger did. */
export async function isOurs<Own, Item, Left>(
  record: PartRecord,
  { request, own }: { request: unknown; own: Own },
  ledger: Ledger,
  { agreed, item, left }: Agreement<Own, Item, Left>,
): Promise<boolean> {
  const theirs = [record.request, agreed(record as unknown as Own)];
  if (!isDeepStrictEqual(theirs, [request, agreed(own)])) return false;
  const areCovered = async <Of>(ranges: Lines[], { line, covers }: Line<Of, Own>): Promise<boolean> => {
    for (const range of ranges) {
      const covered = await inTurns(await ledger.readLines<Of>(range, line), (some) => covers(some, own));
      if (covered.includes(false)) return false;
    }
    return true;
  };
  return (
    (await areCovered([...record.batches, ...record.large], item)) && (await areCovered(record.rest, left))
  );
}
