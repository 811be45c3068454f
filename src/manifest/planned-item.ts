import { z } from "zod";
import { entry, fileSize, mode } from "../ledger/damaged.ts";
import type { Source } from "../model/source.ts";
import { hashOf } from "../model/content.ts";
import { isPacked, type Packed } from "../model/packed.ts";
import type { ManifestItem } from "./line.ts";

/** One item and where its content is: a line of a batch. */
export interface PlannedItem extends ManifestItem {
  source: Source;
  /** Modes of the directories above it, the topmost first; null where the run did not record one. */
  above?: (number | null)[];
}

/** A line of what was planned, in a batch or left. */
export const plannedItem = entry
  .extend({
    md5: z.string().optional(),
    packed: z.custom<Packed>(isPacked, "not where a content can be").optional(),
    source: z.looseObject({ length: fileSize }),
    above: z.array(mode.nullable()).optional(),
  })
  .refine((item) => hashOf(item) !== undefined, "it does not say which content");
