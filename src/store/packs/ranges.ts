import type { ManifestItem } from "../../manifest/line.ts";
import type { Packed } from "../../model/packed.ts";
import { Lost } from "../fetching.ts";
import { LARGEST_WHOLE } from "./format.ts";
import { BLOB_HEAD, FRAME_HEAD } from "./frame.ts";
import { LONGEST_RECIPE, longestRecipe } from "./recipe.ts";

/** The most bytes per request, unless a single content has more. */
const LONGEST_RANGE = 8 * 1024 * 1024;
/** The largest gap between two contents to fetch needlessly rather than make another request, in bytes. */
const LARGEST_GAP = 256 * 1024;
/** Bytes of a frame that several contents share, decoded: several times what a backup puts into one. */
const LONGEST_SHARED = 1024 * 1024;

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
    const isNear =
      range?.pack === pack && offset - range.to <= LARGEST_GAP && end - range.from <= LONGEST_RANGE;
    if (isNear) {
      range.items.push(item);
      range.to = Math.max(range.to, end);
    } else ranges.push({ pack, from: offset, to: end, items: [item] });
  }
  return ranges;
}

/**
 * Where an item's content is, as its run recorded it: what is read of a pack, and the memory that takes, follows from that alone.
 * @throws Lost if no backup can have recorded that
 */
export function locationOf({ kind, size, packed }: ManifestItem): Packed {
  if (!packed) throw new Lost("the run's record does not say where its content is");
  const { offset, length, raw, size: bytes, recipe } = packed;
  const most = recipe ? Math.min(longestRecipe(size), LONGEST_RECIPE) : LARGEST_WHOLE;
  const isOf = recipe ? kind === "file" : kind !== "file" || bytes === size;
  const isFrame = offset >= BLOB_HEAD && length >= FRAME_HEAD && length <= FRAME_HEAD + raw;
  if (!isOf || bytes > most || raw > Math.max(bytes, LONGEST_SHARED) || !isFrame)
    throw new Lost("what the run recorded of where its content is cannot be right");
  return packed;
}
