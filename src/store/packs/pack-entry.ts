import { hash } from "node:crypto";
import { attributesOf, type Entry } from "../../model/entry.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Packed } from "../../model/packed.ts";
import type { Budget } from "../../storage/budget.ts";
import type { Put } from "../storing.ts";
import { unchanged } from "../unchanged.ts";
import { LARGEST_WHOLE, type At } from "./format.ts";
import type { PackWriter, ToPack } from "./pack-writer.ts";

/** What packing an entry needs. */
export interface Packing {
  at: At;
  pack: PackWriter;
  /** Nothing was at the destination when the run began. */
  fresh: boolean;
  /** Ids of chunks to write anew; see Avoid. */
  damaged: ReadonlySet<string>;
  budget: Budget;
}

/** Puts the content of an entry into a pack, unless the run that this one builds on has an equal one. */
export function packEntry(entry: Entry, { pack, budget }: Packing): Put {
  const settle = (content: ToPack, size: number): Outcome => {
    const now = { ...entry, ...content.attributes, size };
    if (isBefore(entry.before, content)) return unchanged(now, { packed: entry.before });
    return { ...unchanged(now, { packed: pack.add(content) }), outcome: "copied" };
  };
  const { path, kind } = entry;
  return {
    content: async ({ content, attributes }) =>
      settle({ path, kind, attributes, content }, kind === "file" ? content.length : 0),

    file: async (file) => {
      const { size, stats } = file;
      const attributes = attributesOf(stats);
      if (size > LARGEST_WHOLE) throw new Error("not yet");
      return await budget.bytes(size, async () => {
        const content = Buffer.allocUnsafeSlow(size);
        await file.read(content, 0);
        await file.assertUnchanged();
        return settle({ path, kind, attributes, content }, size);
      });
    },
  };
}

/** Whether a content is the one that was stored before. */
function isBefore(before: Packed | undefined, { content, recipe }: ToPack): before is Packed {
  if (before?.size !== content.length || before.recipe !== recipe) return false;
  return hash("sha256", content, "base64") === before.sha256;
}
