import type { BlobServiceClient } from "@azure/storage-blob";
import type { PlannedItem } from "../../manifest/plan-record.ts";
import type { Outcome } from "../../model/outcome.ts";
import { type Budget, forEachItem } from "../../storage/budget.ts";
import type { Fetching, Read } from "../fetching.ts";
import { inOrder } from "../in-order.ts";
import { addToAvoid } from "./avoid.ts";
import { findContents } from "./find-contents.ts";
import { assertReadable, type At } from "./format.ts";
import { byPlace, locationOf, rangesOf, type InPack, type Range } from "./ranges.ts";
import { DamagedChunk } from "./read-chunk.ts";
import { readContent, streamContent } from "./read-content.ts";
import { KEPT_BYTES, PackReader, type Fetched } from "./read-pack.ts";

/** Concurrent ranges of a batch, being fetched or worked on. */
const RANGES_AT_A_TIME = 4;
/** The most bytes of a span, which are fetched again after a kill. */
const SPAN = 128 * 1024 * 1024;

export function fetching({ service, ...at }: At & { service: BlobServiceClient }): Fetching {
  return {
    arrange: (items) =>
      located(items)
        .sort(byPlace)
        .map(({ item }) => item),

    find: async (items) => {
      await assertReadable(at);
      return await findContents(at, items);
    },

    fetch: async (items, budget, work) => {
      await assertReadable(at);
      const means = { at, budget, reader: new PackReader(at) };
      const outcomes: Outcome[] = [];
      await inOrder(rangesOf(located(items)), RANGES_AT_A_TIME, async (range) => {
        outcomes.push(...(await fetchRange(range, means, work)));
      });
      return outcomes;
    },

    stream: (item, part) => streamContent(at, item, part),

    readSpan: async (item, { position: from }, until, budget, take) => {
      const content = () => new PackReader(at).content(locationOf(item), budget);
      const more = (position: number) => position - from < SPAN && performance.now() < until;
      const position = await readContent(at, item, { content, span: { from, more } }, budget, take);
      return position < item.size ? { position } : undefined;
    },

    avoid: async (unreadable) => {
      const packs = unreadable.flatMap(({ item: { packed } }) => (packed ? [packed.pack] : []));
      const chunks = unreadable.flatMap(({ error }) => (error instanceof DamagedChunk ? [error.id] : []));
      if (packs.length > 0) await addToAvoid({ service, ...at }, { packs, chunks });
    },
  };
}

/** @throws Lost */
function located(items: readonly PlannedItem[]): Located[] {
  return items.map((item) => ({ item, packed: locationOf(item) }));
}

/** An item and its place. */
interface Located extends InPack {
  item: PlannedItem;
}

/**
 * Works on the items of a range, which is fetched when the first is read. Its memory is taken before any file is opened and
 * released when all are done, so that work with an open file waits for memory of other open files only.
 */
async function fetchRange(
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
  return await budget.held(range.to - range.from + KEPT_BYTES, async () => {
    let fetching: Promise<Fetched> | undefined;
    const fetched = (): Promise<Fetched> => (fetching ??= reader.read(range, budget));
    return await forEachItem(range.items, budget, (each) => work(each.item, readingOf(each, fetched)));
  });
}
