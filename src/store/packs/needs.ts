import type { ManifestItem } from "../../manifest/line.ts";
import { inTurns } from "../../model/in-turns.ts";
import type { Packed } from "../../model/packed.ts";
import type { Budget } from "../../storage/budget.ts";
import { Lost } from "../fetching.ts";
import type { Needs, Sparse, Whose } from "../pruning.ts";
import type { StoredBlob } from "../stored-blob.ts";
import type { At } from "./format.ts";
import { blobOf, chunkBlob, packBlob } from "./names.ts";
import { locationOf, rangesOf } from "./ranges.ts";
import { PackReader } from "./read-pack.ts";
import { readRecipes, type Larger } from "./read-recipes.ts";

/** Some bytes of a pack; `to` is not included. */
interface Extent {
  from: number;
  to: number;
}

/** What is needed of a pack, and what of it by the runs that the next backups build on. */
interface Needed {
  all: Extent[];
  newest: Extent[];
}

/**
 * What the items of a run that stays need: parts of packs, and each chunk of larger files. What a forgotten run needed does not
 * matter: names show which blobs are the product's.
 * @throws Lost if the chunks of a file are not known; storage errors, after retries
 */
export async function needsOf(
  at: At,
  items: readonly ManifestItem[],
  { kept, newest }: Whose,
  budget: Budget,
): Promise<{ name: string; line: string }[]> {
  if (!kept) return [];
  const { prefix } = at;
  const extents = new Map<string, Extent[]>();
  const larger: Larger[] = [];
  await inTurns(items, (item) => {
    if (!item.packed) return;
    const { pack, recipe } = item.packed;
    const extent = shareOf(item.packed);
    const ofPack = extents.get(pack);
    if (ofPack) ofPack.push(extent);
    else extents.set(pack, [extent]);
    if (recipe) larger.push({ item, packed: locationOf(item) });
  });
  const needs = [...extents].flatMap(([pack, ofPack]) =>
    union(ofPack).map(({ from, to }) => ({
      name: packBlob(prefix, pack),
      line: `${pack} ${from} ${to}${newest ? " newest" : ""}`,
    })),
  );
  const reader = new PackReader(at);
  for (const range of rangesOf(larger)) {
    const recipes = await budget.bytes(range.to - range.from, () => readRecipes(range, reader, budget));
    for (const { item, chunks } of recipes) {
      if (chunks instanceof Lost) throw new Lost(`${item.path}: ${chunks.message}`, { cause: chunks });
      for (const id of chunks.keys()) needs.push({ name: chunkBlob(prefix, id), line: id });
    }
  }
  return needs;
}

export class PackNeeds implements Needs {
  readonly #prefix: string;
  readonly #packs = new Map<string, Needed>();
  readonly #chunks = new Set<string>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  take(line: string): void {
    const [id = "", from, to, newest] = line.split(" ");
    if (from === undefined) {
      this.#chunks.add(id);
      return;
    }
    const extent = { from: Number(from), to: Number(to) };
    const needed = this.#packs.get(id) ?? { all: [], newest: [] };
    needed.all.push(extent);
    if (newest !== undefined) needed.newest.push(extent);
    this.#packs.set(id, needed);
  }

  /**
   * A pack or chunk is deleted when no remaining run needs any of it, whoever wrote it. While activities of a terminated run
   * may be running, all stay: these may have found any of it.
   * @returns snapshots and versions, which others made, before the blob itself
   */
  superfluous(contents: readonly StoredBlob[], { lingering }: { lingering: boolean }): StoredBlob[] {
    const blob = blobOf(this.#prefix, contents[0]?.name ?? "");
    if (!blob || lingering) return [];
    if (blob.kind === "P" ? this.#packs.has(blob.id) : this.#chunks.has(blob.id)) return [];
    return [...contents.filter((content) => !isCurrent(content)), ...contents.filter(isCurrent)];
  }

  /** Packs of which less than half is needed, all of it by the newest runs: a backup empties them. */
  sparse(contents: readonly StoredBlob[]): Sparse[] {
    const needed = this.#packs.get(blobOf(this.#prefix, contents[0]?.name ?? "")?.id ?? "");
    const content = contents.find(isCurrent);
    if (!needed || !content) return [];
    const bytes = lengthOf(needed.all);
    const isSparse = 2 * bytes < content.size && lengthOf(needed.newest) === bytes;
    return isSparse ? [{ content, needed: bytes }] : [];
  }
}

function isCurrent({ etag }: StoredBlob): boolean {
  return etag !== undefined;
}

/** The bytes of a pack that count as a content's: a proportional part of a shared frame. */
function shareOf({ offset, length, raw, from, size }: Packed): Extent {
  if (raw === 0) return { from: offset, to: offset + length };
  const at = (position: number): number => offset + Math.round((length * position) / raw);
  return { from: at(from), to: at(from + size) };
}

/** Extents in order, without overlaps. */
function union(extents: Extent[]): Extent[] {
  const merged: Extent[] = [];
  for (const { from, to } of extents.toSorted((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

function lengthOf(extents: Extent[]): number {
  return union(extents).reduce((sum, { from, to }) => sum + to - from, 0);
}
