import type { ManifestItem } from "../../manifest/line.ts";
import { Corrupt, Lost } from "../fetching.ts";
import type { InPack, Range } from "./ranges.ts";
import type { PackReader, Requests } from "./read-pack.ts";
import { decodeRecipe } from "./recipe.ts";

/** A larger file and where its recipe is. */
export interface Larger extends InPack {
  item: ManifestItem;
}

/** Times to read a recipe that arrives damaged. */
const TRIES = 3;

/** Reads the recipes in a range. @returns for each file the bytes of its chunks by their ids, or why they are not known */
export async function readRecipes(
  range: Range<Larger>,
  reader: PackReader,
  requests: Requests,
): Promise<{ item: ManifestItem; chunks: Map<string, number> | Lost }[]> {
  const fetched = reader.read(range, requests);
  const recipes = [];
  for (const { item, packed } of range.items) {
    const read = async (isFirst: boolean): Promise<Buffer> =>
      isFirst ? await (await fetched).content(packed) : await reader.content(packed, requests);
    recipes.push({ item, chunks: await chunksOf(item, read) });
  }
  return recipes;
}

async function chunksOf(
  item: ManifestItem,
  read: (isFirst: boolean) => Promise<Buffer>,
): Promise<Map<string, number> | Lost> {
  for (let tries = 1; ; tries++) {
    try {
      const chunks = new Map<string, number>();
      for (const { id, length } of decodeRecipe(await read(tries === 1), item.size)) chunks.set(id, length);
      return chunks;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      if (!(error instanceof Corrupt) || tries === TRIES) return error;
    }
  }
}
