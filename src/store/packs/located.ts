import { createHash } from "node:crypto";
import type { ManifestItem } from "../../manifest/line.ts";
import type { Packed } from "../../model/packed.ts";
import { Corrupt, Lost } from "../fetching.ts";
import { LARGEST_WHOLE } from "./format.ts";
import { BLOB_HEAD, decodeFrame, FRAME_HEAD } from "./frame.ts";
import { longestRecipe } from "./recipe.ts";

/** Bytes: that of a file of several TiB. */
const LONGEST_RECIPE = 64 * 1024 * 1024;

/**
 * Where an item's content is, as its run recorded it: what is read of a pack, and the memory that takes, follows from that alone.
 * @throws Lost if no backup can have recorded that
 */
export function locationOf({ kind, size, packed }: ManifestItem): Packed {
  if (!packed) throw new Lost("the run's record does not say where its content is");
  const { offset, length, size: bytes, recipe } = packed;
  const most = recipe ? Math.min(longestRecipe(size), LONGEST_RECIPE) : LARGEST_WHOLE;
  const isOf = recipe ? kind === "file" : kind !== "file" || bytes === size;
  const isFrame = offset >= BLOB_HEAD && length >= FRAME_HEAD && length <= FRAME_HEAD + bytes;
  if (!isOf || bytes > most || !isFrame)
    throw new Lost("what the run recorded of where its content is cannot be right");
  return packed;
}

/** Decodes a content, and checks its hash. @throws Corrupt; Lost if its codec is not known */
export async function contentIn(frame: Buffer, { size, sha256 }: Packed): Promise<Buffer> {
  const content = await decodeFrame(frame, size);
  const hash = createHash("sha256").update(content).digest("base64");
  if (hash !== sha256)
    throw new Corrupt(`corrupt: its content has the SHA-256 ${hash}, the run recorded ${sha256}`);
  return content;
}
