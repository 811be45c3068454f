import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { cutIntoBatches, cutRest, MAX_BATCHES } from "../ledger/cut.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { Findings, Part, PartKind } from "../ledger/part-kind.ts";
import { settlePart } from "../ledger/settle-part.ts";
import type { KeyRange } from "../model/order.ts";
import type { Outcome } from "../model/outcome.ts";
import type { ManifestItem } from "./line.ts";
import {
  isBlob,
  leftLine,
  plannedItem,
  planRecord,
  UNKNOWN,
  type Batching,
  type Left,
  type PlanInput,
  type PlannedItem,
  type PlanOwn,
} from "./plan-record.ts";
import type { ManifestBlob } from "./run-map.ts";
import { partialNote, readPage, wholeRun } from "./run-records.ts";

/** What a restore and a verification do differently. */
interface Planning extends Pick<PartKind<PlanOwn, PlannedItem, Left>, "begin"> {
  /** The only keys of interest: nothing else is read. */
  within: KeyRange[];
  /** How the layout of the run's destination wants items to be cut into batches. */
  batching: (own: PlanOwn) => Batching;
  /** How many of the manifest's files one part takes. */
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

/** Concurrent reads of a manifest's blobs. */
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
    // A terminated run may have been closed since.
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
  // All at once: a directory's files may be in many pages, and each directory should be listed once.
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
