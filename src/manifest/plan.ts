import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { z } from "zod";
import { cutIntoBatches, MAX_BATCHES, type BatchCost } from "../ledger/cut.ts";
import { cutRest } from "../ledger/cut-rest.ts";
import { listRange } from "../ledger/damaged.ts";
import { Ledger, type ListRange } from "../ledger/ledger.ts";
import { partRecord, type PartInput, type PartRecord } from "../ledger/parts.ts";
import { settlePart, type Findings, type Part, type PartKind } from "../ledger/settle-part.ts";
import type { KeyRange } from "../model/order.ts";
import type { Outcome } from "../model/outcome.ts";
import type { ManifestItem } from "./line.ts";
import { readPage } from "./page.ts";
import type { ManifestBlob } from "./run-map.ts";
import { partialNote } from "./partial.ts";
import { plannedItem, type PlannedItem } from "./planned-item.ts";
import { isBlob, leftLine, wholeRun, type Left } from "./rest.ts";
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

/** How items are cut into batches. */
export interface Batching {
  readonly cost: BatchCost;
  /** Puts items in the order in which their contents are best fetched. */
  arrange(items: PlannedItem[]): PlannedItem[];
}

/** What a restore and a verification do each in their own way. */
export interface Planning extends Pick<PartKind<PlanOwn, PlannedItem, Left>, "begin"> {
  /** The only keys that it is about; of all others nothing is read. */
  within: KeyRange[];
  /** How the layout of the run's destination wants items to be cut into batches. */
  batching: (own: PlanOwn) => Batching;
  /** Manifest's files that one part takes. */
  filesPerPart: number;
  /** Bytes; what is larger is a large file. Without it none is. */
  largeFile?: number;
  /** Whether an item may be in the plan at all. */
  covers: (item: PlannedItem, own: PlanOwn) => boolean;
  /** Looks at the items of some blobs: which are for a batch, and what is settled at once. */
  examine: (own: PlanOwn, items: ManifestItem[], blobs: readonly ManifestBlob[]) => Promise<Examined>;
}

export interface Examined {
  planned: PlannedItem[];
  settled: Outcome[];
  /** Patterns that matched something; see Filter. */
  matched?: number[];
  /** Directories that are not there, and are made. */
  makes?: string[];
}

const UNKNOWN: PlanOwn = {
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

/** Blobs of a manifest that are read at a time. */
const READS = 16;

/** Plans one part of what is done with a run; see settlePart. */
export async function settlePlan(
  input: PlanInput<unknown>,
  service: BlobServiceClient,
  planning: Planning,
): Promise<Part<PlanOwn>> {
  const { begin, covers } = planning;
  const plan = await settlePart<PlanOwn, PlannedItem, Left>(input, service, {
    record: planRecord,
    unknown: UNKNOWN,
    begin,
    // A run that was broken off may have been closed since.
    agreed: ({ source, realTo }) => ({ source: { ...source, status: undefined }, realTo }),
    item: { line: plannedItem, covers },
    left: { line: leftLine, covers: (item, own) => isBlob(item) || covers(item, own) },
    find: (own, left) => find(own, left, service, planning),
  });
  const note = partialNote(plan.own.source);
  return note === undefined ? plan : { ...plan, found: { ...plan.found, note } };
}

async function find(
  own: PlanOwn,
  left: Left[] | undefined,
  service: BlobServiceClient,
  { within, batching, filesPerPart, largeFile = Infinity, examine }: Planning,
): Promise<Findings<PlannedItem, Left>> {
  const { lines, damage } = left ? { lines: left, damage: [] } : await wholeRun(own.source, service, within);
  const blobs = lines.filter(isBlob);
  const filesOf = ({ files }: ManifestBlob): number => files;
  if (blobs.length > 1 && blobs.reduce((sum, blob) => sum + blob.files, 0) > filesPerPart) {
    const rest = cutRest(blobs, filesOf, filesPerPart);
    return { settled: damage, matched: [], batches: [], lanes: [], rest };
  }
  const ledger = new Ledger(service, own.source.id);
  const pages = await pMap(blobs, (blob) => readPage(ledger, blob), { concurrency: READS });
  // All at once, for a directory's files may be in many pages, and each directory is to be listed once.
  const items = pages.flatMap((page) => page.items);
  const planned = lines.filter((line): line is PlannedItem => !isBlob(line));
  const examined: Examined = blobs.length > 0 ? await examine(own, items, blobs) : { planned, settled: [] };
  const layout = batching(own);
  const { cost } = layout;
  const { batches, lanes, later } = cutIntoBatches(layout.arrange(examined.planned), cost, { largeFile });
  return {
    settled: [...damage, ...pages.flatMap((page) => page.damage), ...examined.settled],
    matched: examined.matched ?? [],
    batches,
    lanes,
    rest: cutRest(later, ({ size }) => size + cost.ofFile, MAX_BATCHES * cost.most),
    lists: { makes: examined.makes ?? [] },
  };
}
