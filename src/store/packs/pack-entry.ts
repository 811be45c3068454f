import { hash } from "node:crypto";
import { attributesOf, type Entry } from "../../model/entry.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Budget } from "../../storage/budget.ts";
import { NotStored, type Put } from "../storing.ts";
import { unchanged } from "../unchanged.ts";
import type { ChunkStore } from "./chunks.ts";
import { LARGEST_WHOLE } from "./format.ts";
import type { PackWriter, ToPack } from "./pack-writer.ts";
import { LONGEST_RECIPE } from "./recipe.ts";
import { storeLarger } from "./send-file.ts";

/** What packing an entry needs. */
interface Packing {
  pack: PackWriter;
  chunks: ChunkStore;
  budget: Budget;
}

/** Puts the content of an entry into a pack, or the recipe of a larger file. */
export function packEntry(entry: Entry, { pack, chunks, budget }: Packing): Put {
  const { path, kind } = entry;
  return {
    hash: "sha256",

    content: async ({ content, attributes, hash }) => {
      const size = kind === "file" ? content.length : 0;
      return packContent(entry, { path, kind, attributes, content }, size, pack, hash);
    },

    file: async (file) => {
      const { size, stats } = file;
      const attributes = attributesOf(stats);
      if (size > LARGEST_WHOLE || !pack.reserve(size)) {
        const content = await storeLarger(file, chunks, budget);
        return packContent(entry, { path, kind, attributes, content, recipe: true }, size, pack);
      }
      return await budget.bytes(size, async () => {
        const content = Buffer.allocUnsafeSlow(size);
        await file.read(content, 0);
        await file.assertUnchanged();
        return packContent(entry, { path, kind, attributes, content }, size, pack);
      });
    },
  };
}

/**
 * Adds a content to a pack, unless the run that this one builds on has an equal one for the entry.
 * @param size bytes of the file; 0 for links and directories
 * @param sha256 of the content, in base64
 * @throws NotStored
 */
export function packContent(
  entry: Entry,
  content: ToPack,
  size: number,
  pack: PackWriter,
  sha256 = hash("sha256", content.content, "base64"),
): Outcome {
  if (content.recipe && content.content.length > LONGEST_RECIPE)
    throw new NotStored(`its ${size} bytes are more than a recipe can list: some 8 TiB`);
  const now = { ...entry, ...content.attributes, size };
  const { before } = entry;
  if (before?.sha256 === sha256 && before.recipe === content.recipe)
    return unchanged(now, { packed: before });
  const note = entry.again ? { reason: AGAIN } : {};
  return { ...unchanged(now, { packed: pack.add(content, sha256) }), outcome: "copied", ...note };
}

const AGAIN = "stored again: its pack is gone, changed, archived, or no longer to be used";
