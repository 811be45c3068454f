import type { ManifestItem } from "../../manifest/line.ts";
import { whatHolds } from "../../model/held.ts";
import { Lost, type Found } from "../fetching.ts";
import type { At } from "./format.ts";
import { canHold } from "./frame.ts";
import { lookUpBlobs, type There } from "./look-up.ts";
import { chunkBlob, packBlob } from "./names.ts";
import { locationOf, rangesOf, type InPack } from "./ranges.ts";
import { PackReader, UNCOUNTED } from "./read-pack.ts";
import { readRecipes, type Larger } from "./read-recipes.ts";

/** Chunks to collect before they are looked up: some 20 MB. */
const CHUNKS = 100_000;

/** Finds the content of each item: its pack must be there as it was recorded, and all chunks of a larger file. */
export async function findContents(
  at: At,
  items: readonly ManifestItem[],
): Promise<Map<ManifestItem, Found>> {
  const found = new Map<ManifestItem, Found>();
  const located: Larger[] = [];
  for (const item of items) {
    try {
      located.push({ item, packed: locationOf(item) });
    } catch (error) {
      found.set(item, lost(error));
    }
  }
  const nameOf = ({ packed: { pack } }: InPack): string => packBlob(at.prefix, pack);
  const packs = await lookUpBlobs(at, new Set(located.map(nameOf)));
  const larger = located.filter((each) => {
    const { item, packed } = each;
    const { packLength } = packed;
    const why = whyNot(`its pack ${nameOf(each)}`, packs.get(nameOf(each)), (size) =>
      size === packLength ? undefined : `the run recorded ${packLength}`,
    );
    const length = item.kind === "file" ? item.size : packed.size;
    found.set(item, why === undefined ? { source: { length } } : { lost: why });
    return why === undefined && packed.recipe;
  });
  await findChunks(at, larger, found);
  return found;
}

/** Reads the recipes of larger files, and looks their chunks up. */
async function findChunks(at: At, larger: readonly Larger[], found: Map<ManifestItem, Found>): Promise<void> {
  const reader = new PackReader(at);
  let wanted = new Map<string, { length: number; items: ManifestItem[] }>();
  const lookUp = async (): Promise<void> => {
    const there = await lookUpBlobs(at, wanted.keys());
    for (const [name, { length, items }] of wanted) {
      const why = whyNot(`its chunk, the blob ${name},`, there.get(name), (size) =>
        canHold(size, length) ? undefined : `which cannot be a chunk of ${length}`,
      );
      if (why !== undefined) for (const item of items) found.set(item, { lost: why });
    }
    wanted = new Map();
  };
  for (const range of rangesOf(larger)) {
    for (const { item, chunks } of await readRecipes(range, reader, UNCOUNTED)) {
      if (chunks instanceof Lost) {
        found.set(item, lost(chunks));
        continue;
      }
      for (const [id, length] of chunks) {
        const name = chunkBlob(at.prefix, id);
        const known = wanted.get(name);
        if (known) known.items.push(item);
        else wanted.set(name, { length, items: [item] });
      }
    }
    if (wanted.size > CHUNKS) await lookUp();
  }
  await lookUp();
}

/** Why a needed blob cannot be read, as a message. @param whySize what is wrong with its size, if anything */
function whyNot(
  what: string,
  there: There | undefined,
  whySize: (size: number) => string | undefined,
): string | undefined {
  if (!there) return `${what} is missing`;
  if (there.held === "archived") return `${what} ${whatHolds("archived")}`;
  const why = whySize(there.size);
  return why === undefined ? undefined : `${what} has ${there.size} bytes, ${why}`;
}

function lost(error: unknown): Found {
  if (error instanceof Lost) return { lost: error.message };
  throw error;
}
