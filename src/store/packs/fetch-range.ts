import { forEachItem } from "../../ledger/settle-batch.ts";
import type { PlannedItem } from "../../manifest/planned-item.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Budget } from "../../storage/budget.ts";
import type { Read } from "../fetching.ts";
import { KEPT, type Fetched } from "./fetched.ts";
import type { At } from "./format.ts";
import type { InPack, Range } from "./ranges.ts";
import { readContent } from "./read-content.ts";
import type { PackReader } from "./read-pack.ts";

/** An item and its place. */
export interface Located extends InPack {
  item: PlannedItem;
}

/**
 * Works on the items of a range, which is fetched when the first is read. Its memory is taken before any file is opened and
 * released when all are done, so that work with an open file waits for memory of other open files only.
 */
export async function fetchRange(
  range: Range<Located>,
  { at, reader, budget }: { at: At; reader: PackReader; budget: Budget },
  work: (item: PlannedItem, read: Read) => Promise<Outcome | undefined>,
): Promise<Outcome[]> {
  const readingOf = ({ item, packed }: Located, fetched: () => Promise<Fetched>): Read => {
    let isFirst = true;
    const content = async (): Promise<Buffer> => {
      // It may have been damaged on the way.
      if (!isFirst) return await reader.content(packed, budget);
      isFirst = false;
      return await (await fetched()).content(packed);
    };
    return async (take) => {
      await readContent(at, item, { content }, budget, take);
    };
  };
  return await budget.held(range.to - range.from + KEPT, async () => {
    let fetching: Promise<Fetched> | undefined;
    const fetched = (): Promise<Fetched> => (fetching ??= reader.read(range, budget));
    return await forEachItem(range.items, budget, (each) => work(each.item, readingOf(each, fetched)));
  });
}
