import { z } from "zod";
import type { BatchCost } from "../ledger/cut.ts";
import type { ListRange } from "../ledger/ledger.ts";
import { partRecord, type PartInput, type PartRecord } from "../ledger/part-record.ts";
import { entry, fileSize, listRange, mode } from "../ledger/schemas.ts";
import { hashOf, type Source } from "../model/content.ts";
import { isPacked, type Packed } from "../model/packed.ts";
import type { ManifestItem } from "./line.ts";
import type { ManifestBlob } from "./run-map.ts";
import type { SourceRun } from "./source-run.ts";

/** What all parts of a restore, or of a verification, have in common. */
export interface PlanOwn {
  source: SourceRun;
  /** The directory to restore into, with every link in it followed; empty for a verification. */
  realTo: string;
  /** The restore made that directory: nothing was there. */
  made?: boolean;
}

/** The whole run, or a part of it that another plan left. */
export type PlanInput<Request> = PartInput<Request, PlanOwn>;

/**
 * What is to be done with one part of a run. Batches are ranges of planned items; the rest are ranges of blobs of the run's
 * manifest, or of planned items that are too much for this part's batches.
 */
export interface Plan extends PartRecord, PlanOwn {
  /** Directories that this part of a restore makes, with all in them: they were not there. */
  makes?: ListRange;
}

/** How items are cut into batches. */
export interface Batching {
  readonly cost: BatchCost;
  /** Puts items in the order in which their contents are best fetched. */
  arrange(items: PlannedItem[]): PlannedItem[];
}

/** One item and where its content is: a line of a batch. */
export interface PlannedItem extends ManifestItem {
  source: Source;
  /** Modes of the directories above it, the topmost first; null where the run did not record one. */
  above?: (number | null)[];
}

/** What is checked of a plan. */
export const planRecord = partRecord.extend({
  request: z.looseObject({}),
  source: z.looseObject({ id: z.string(), container: z.string(), prefix: z.string() }),
  realTo: z.string(),
  made: z.boolean().optional(),
  makes: listRange.optional(),
});

/** What stands in the record of a plan that could not begin. */
export const UNKNOWN: PlanOwn = {
  source: {
    id: "",
    root: "",
    container: "",
    prefix: "",
    layout: "files",
    include: [],
    exclude: [],
    status: undefined,
  },
  realTo: "",
};

/** A line of what was planned, in a batch or left. */
export const plannedItem = entry
  .extend({
    md5: z.string().optional(),
    packed: z.custom<Packed>(isPacked, "not where a content can be").optional(),
    source: z.looseObject({ length: fileSize }),
    above: z.array(mode.nullable()).optional(),
  })
  .refine((item) => hashOf(item) !== undefined, "it does not say which content");

/** What a plan covers: blobs of the run's manifest, or what another part has planned already, and left. */
export type Left = ManifestBlob | PlannedItem;

const manifestBlob = z.looseObject({ name: z.string().startsWith("outcomes/"), files: z.number().min(0) });
export const leftLine = z.union([manifestBlob, plannedItem]);

export function isBlob(left: Left): left is ManifestBlob {
  return "name" in left;
}
