import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { inTurns } from "../model/in-turns.ts";
import type { Ledger, Lines } from "./ledger.ts";
import type { PartRecord } from "./parts.ts";

/** What a part's record and its lists must agree with, because others may have written them. */
export interface Agreement<Own, Item, Left> {
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
