import type { ManifestItem } from "../../manifest/line.ts";
import type { Packed } from "../../model/packed.ts";
import { Lost } from "../fetching.ts";
import { LARGEST_WHOLE } from "./format.ts";
import { BLOB_HEAD, FRAME_HEAD } from "./frame.ts";
import { LONGEST_RECIPE, longestRecipe } from "./recipe.ts";

/** Bytes of a frame that several contents share, decoded: several times what a backup puts into one. */
const LONGEST_SHARED = 1024 * 1024;

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
