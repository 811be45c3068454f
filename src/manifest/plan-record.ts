import { z } from "zod";
import type { BatchCost } from "../ledger/cut.ts";
import { listRange } from "../ledger/damaged.ts";
import type { ListRange } from "../ledger/ledger.ts";
import { partRecord, type PartInput, type PartRecord } from "../ledger/parts.ts";
import type { PlannedItem } from "./planned-item.ts";
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

/** How items are cut into batches. */
export interface Batching {
  readonly cost: BatchCost;
  /** Puts items in the order in which their contents are best fetched. */
  arrange(items: PlannedItem[]): PlannedItem[];
}
