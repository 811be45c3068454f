import { z } from "zod";
import { toLines, type Ledger } from "../../ledger/ledger.ts";
import type { Packed } from "../../model/packed.ts";
import { Recent } from "../../model/recent.ts";
import type { At } from "./format.ts";
import { listFolder } from "./look-up.ts";
import { below } from "./names.ts";

/** Bytes of each pack that can be read, by its name below `packs/`. */
export type Packs = ReadonlyMap<string, number>;

/** Lists the packs of a destination that can be read now: not those in the archive. One request for 5,000. */
export async function listPacks(at: At): Promise<Map<string, number>> {
  const folder = below(at.prefix, "packs/");
  const packs = new Map<string, number>();
  for await (const blobs of listFolder(at, folder))
    for (const { name, size, held } of blobs)
      if (held !== "archived") packs.set(name.slice(folder.length), size);
  return packs;
}

/** What a run found when it began. */
export interface Inventory {
  packs: Packs;
  /** Ids of damaged chunks: their blobs do not hold what their names say. */
  damaged: ReadonlySet<string>;
}

const LIST = "lists/packs.jsonl";
const line = z.union([z.tuple([z.string(), z.number()]), z.tuple([z.string()])]);
const recent = new Recent<Inventory>(4);

/** Records what a run may build on, so that all its activities judge alike. */
export async function recordInventory(ledger: Ledger, { packs, damaged }: Inventory): Promise<void> {
  await ledger.writeOnce(LIST, toLines([...packs, ...[...damaged].map((id) => [id])]));
}

/** What a run may build on: nothing if it recorded nothing. */
export async function inventoryOf(ledger: Ledger): Promise<Inventory> {
  return await recent.get(ledger.runId, async () => {
    const read = await ledger.readAllLines<[string, number] | [string]>(LIST, line);
    const lines = read?.lines ?? [];
    return {
      packs: new Map(
        lines.flatMap(([name, length]) => (length === undefined ? [] : [[name, length] as const])),
      ),
      damaged: new Set(lines.flatMap(([id, length]) => (length === undefined ? [id] : []))),
    };
  });
}

/** Whether a content can still be where a run recorded it. */
export function isThere({ pack, packLength }: Packed, packs: Packs): boolean {
  return packs.get(pack) === packLength;
}
