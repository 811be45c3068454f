import type { BlobServiceClient } from "@azure/storage-blob";
import type { PlannedItem } from "../../manifest/planned-item.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Fetching } from "../fetching.ts";
import { inOrder } from "../in-order.ts";
import { addToAvoid } from "./avoid.ts";
import { fetchRange, type Located } from "./fetch-range.ts";
import { findContents } from "./find-contents.ts";
import { assertReadable, type At } from "./format.ts";
import { locationOf } from "./located.ts";
import { byPlace, rangesOf } from "./ranges.ts";
import { DamagedChunk } from "./read-chunk.ts";
import { readContent } from "./read-content.ts";
import { PackReader } from "./read-pack.ts";
import { streamContent } from "./stream-content.ts";

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
