import type { Packed } from "../../model/packed.ts";

/** The most bytes per request, unless a single content has more. */
const MOST = 8 * 1024 * 1024;
/** The largest gap between two contents to fetch needlessly rather than make another request, in bytes. */
const GAP = 256 * 1024;

/** Something that lies in a pack. */
export interface InPack {
  packed: Packed;
}

/** Contents that lie close together: what one request fetches. */
export interface Range<Item> {
  pack: string;
  from: number;
  /** Not included. */
  to: number;
  items: Item[];
}

/** The order in which contents lie in packs. */
export function byPlace({ packed: one }: InPack, { packed: other }: InPack): number {
  if (one.pack !== other.pack) return one.pack < other.pack ? -1 : 1;
  return one.offset - other.offset || one.from - other.from;
}

/** Groups contents that are best fetched together. */
export function rangesOf<Item extends InPack>(items: readonly Item[]): Range<Item>[] {
  const ranges: Range<Item>[] = [];
  for (const item of items.toSorted(byPlace)) {
    const { pack, offset, length } = item.packed;
    const end = offset + length;
    const range = ranges.at(-1);
    const isNear = range?.pack === pack && offset - range.to <= GAP && end - range.from <= MOST;
    if (isNear) {
      range.items.push(item);
      range.to = Math.max(range.to, end);
    } else ranges.push({ pack, from: offset, to: end, items: [item] });
  }
  return ranges;
}
