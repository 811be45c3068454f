import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { costOf, cut, MAX_BATCHES, MOST_A_BATCH, take } from "../ledger/batches.ts";
import { emptyTally, type Outcome, type Tally } from "../model/outcome.ts";
import { z } from "zod";
import { ChangedRecord, listRange, readVersioned, tally } from "../ledger/damaged.ts";
import { Ledger, toLine, toLines, type Lines, type ListRange } from "../ledger/ledger.ts";
import { rangesOf, type Batch, type PartRef } from "../ledger/listing.ts";
import { inTurns } from "../model/in-turns.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { readManifest, type ManifestBlob, type ManifestItem } from "./manifest.ts";
import { LANES, lanesOf } from "./lanes.ts";
import { plannedItem, type PlannedItem } from "./planned-item.ts";
import { cutRest, partOf, readRest } from "./rest.ts";
import type { SourceRun } from "./source-run.ts";
import { listingName, listingOutcomes } from "../ledger/names.ts";

/** The whole run, or a part of it that another plan left. */
export interface PlanInput<Request> extends PartRef {
  request: Request;
  left?: Omit<PlanBase<Request>, "request"> & { lines: Lines };
}

/**
 * What is to be done with one part of a run: written once as `lists/{part}.json` in the ledger of the restore (or
 * verification), as a backup's listing is. Batches are ranges of planned items. The rest, each for a sub-orchestration, are
 * ranges of blobs of the run's manifest, or of planned items that are too much for this part's batches.
 */
export interface Plan<Request> {
  version: 1;
  request: Request;
  source: SourceRun;
  /** The directory to restore into, with every link in it followed; empty for a verification. */
  realTo: string;
  /** The restore made that directory: nothing was there. */
  made?: boolean;
  /** Directories below it that this part of a restore makes: they were not there. */
  makes?: ListRange;
  /** What was settled while planning. */
  found: Tally;
  batches: Batch[];
  /** Files that are restored, or read back, by ranges: for each lane those that one orchestration takes in turn. */
  large: Lines[];
  rest: Lines[];
  toDo: { files: number; bytes: number };
  /** Why nothing can be done at all, for people. */
  problem?: string;
}

/** What all parts of a plan have in common. */
export type PlanBase<Request> = Pick<Plan<Request>, "request" | "source" | "realTo" | "made">;

/** Whether a plan stands already, when nothing can be done at all. */
export function isPlan<Request>(base: PlanBase<Request> | Plan<Request>): base is Plan<Request> {
  return "batches" in base;
}

/** Looks at the items of some blobs: which are for a batch, and what is settled at once. */
export type Examine = (items: ManifestItem[], blobs: readonly ManifestBlob[]) => Promise<Examined>;

interface Examined {
  planned: PlannedItem[];
  settled: Outcome[];
  /** Patterns that matched something; see Filter. */
  matched?: number[];
  /** Directories that are not there, and are made. */
  makes?: string[];
}

const schema = z.looseObject({
  version: z.literal(1),
  request: z.looseObject({}),
  source: z.looseObject({ id: z.string(), container: z.string(), prefix: z.string() }),
  realTo: z.string(),
  made: z.boolean().optional(),
  makes: listRange.optional(),
  found: tally,
  batches: z.array(listRange),
  large: z.array(listRange),
  rest: z.array(listRange),
});

/** Blobs of a manifest that are read at a time. */
const READS = 16;

/** Plans one part; a part that was planned before is not planned again. @throws ChangedRecord */
export async function settlePart<Request>(
  { run, part, left }: PlanInput<Request>,
  base: PlanBase<Request>,
  tools: {
    service: BlobServiceClient;
    filesPerPart: number;
    /** Whether an item may be in the plan at all. */
    covers: (item: PlannedItem) => boolean;
    examine: Examine;
    largeFile?: number;
  },
): Promise<Plan<Request>> {
  const { service, filesPerPart, covers, examine, largeFile = Infinity } = tools;
  const ledger = new Ledger(service, run);
  const before = await readPlan<Request>(ledger, part);
  if (before) return await adopt(before, base, covers, ledger, part);
  const sourceLedger = new Ledger(service, base.source.id);
  const { blobs, damage, ...taken } = await partOf(ledger, left?.lines, base.source, service);
  let settled = damage;
  let { planned } = taken;
  let matched: number[] = [];
  let makes = "";

  const attempt = `lists/${part}-${randomUUID()}`;
  const files = blobs.reduce((sum, blob) => sum + blob.files, 0);
  const divide = files > filesPerPart && blobs.length > 1;
  if (!divide && blobs.length > 0) {
    const pages = await pMap(blobs, (blob) => readManifest(sourceLedger, blob), { concurrency: READS });
    // All at once, for a directory's files may be in many pages, and each directory is to be listed once.
    const examined = await examine(
      pages.flatMap((page) => page.items),
      blobs,
    );
    settled = [...damage, ...pages.flatMap((page) => page.damage), ...examined.settled];
    ({ planned, matched = [] } = examined);
    makes = toLines(examined.makes ?? []);
  }

  const isLarge = ({ kind, size }: PlannedItem): boolean => kind === "file" && size > largeFile;
  const large = planned.filter(isLarge);
  const lanes = lanesOf(large).map(toLines);
  const { now: small, later } = take(
    planned.filter((item) => !isLarge(item)),
    MAX_BATCHES - lanes.length,
  );
  const restList = `${attempt}.rest.jsonl`;
  const rest = divide
    ? await cutRest(blobs, (blob) => blob.files, filesPerPart, ledger, restList)
    : await cutRest(later, costOf, MAX_BATCHES * MOST_A_BATCH, ledger, restList);
  const lines = await inTurns(small, toLine);
  if (lanes.length > 0) await ledger.writeOnce(`${attempt}.large.jsonl`, lanes.join(""));
  if (lines.length > 0) await ledger.writeOnce(`${attempt}.jsonl`, lines.join(""));
  if (makes !== "") await ledger.writeOnce(`${attempt}.makes.jsonl`, makes);
  const found =
    settled.length > 0 ? await settleOutcomes(ledger, listingOutcomes(part), settled) : emptyTally();
  if (matched.length > 0) found.matched = matched;
  const plan: Plan<Request> = {
    version: 1,
    ...base,
    found,
    batches: cut(`${attempt}.jsonl`, small, lines, MAX_BATCHES - lanes.length),
    large: rangesOf(`${attempt}.large.jsonl`, lanes),
    ...(makes === ""
      ? {}
      : { makes: { list: `${attempt}.makes.jsonl`, offset: 0, length: Buffer.byteLength(makes) } }),
    rest,
    toDo: {
      files: small.length + large.length,
      bytes: [...small, ...large].reduce((sum, { size }) => sum + size, 0),
    },
  };
  const other = await settlePlan(ledger, part, plan);
  return other ? await adopt(other, base, covers, ledger, part) : plan;
}

/**
 * Takes over the plan that is there already. Another delivery of the activity wrote it, or someone else: it must be one that
 * this run could have made.
 * @throws ChangedRecord
 */
async function adopt<Request>(
  plan: Plan<Request>,
  base: PlanBase<Request>,
  covers: (item: PlannedItem) => boolean,
  ledger: Ledger,
  part: string,
): Promise<Plan<Request>> {
  // It leads nowhere.
  if (plan.problem !== undefined) return noPlan(base, plan.problem);
  // A run that was broken off may have been closed since.
  const placeOf = ({ request, source, realTo }: PlanBase<Request>) => ({
    request,
    source: { ...source, status: undefined },
    realTo,
  });
  let agrees = isDeepStrictEqual(placeOf(plan), placeOf(base));
  for (const lines of agrees ? [...plan.batches, ...plan.large] : [])
    agrees &&= (await ledger.readLines<PlannedItem>(lines, plannedItem)).every(covers);
  for (const lines of agrees ? plan.rest : [])
    agrees &&= (await readRest(ledger, lines)).planned.every(covers);
  if (!agrees) throw new ChangedRecord(`${ledger.runId}/${listingName(part)}`);
  return plan;
}

/** The part that is the whole run. */
export const WHOLE_RUN = "0";

/** The plan of a part, or undefined when it was not planned yet. */
export async function readPlan<Request>(ledger: Ledger, part: string): Promise<Plan<Request> | undefined> {
  const text = await ledger.read(listingName(part));
  if (text === undefined) return undefined;
  return readVersioned<Plan<Request>>(text, schema, ledger.runId, listingName(part));
}

/** Writes the plan of a part, unless there is one. @returns that one */
export async function settlePlan<Request>(
  ledger: Ledger,
  part: string,
  plan: Plan<Request>,
): Promise<Plan<Request> | undefined> {
  const { toDo, rest } = plan;
  // In metadata, so that a run's progress is one list call.
  const metadata = { files: String(toDo.files), bytes: String(toDo.bytes), rest: String(rest.length) };
  const { won } = await ledger.writeOnce(listingName(part), JSON.stringify(plan), metadata);
  return won ? undefined : await readPlan<Request>(ledger, part);
}

/** A plan of nothing, and why. */
export function noPlan<Request>(base: PlanBase<Request>, problem: string): Plan<Request> {
  return {
    version: 1,
    ...base,
    found: emptyTally(),
    batches: [],
    large: [],
    rest: [],
    toDo: { files: 0, bytes: 0 },
    problem,
  };
}

/** The items of a batch. */
export async function readBatch(ledger: Ledger, lines: Lines): Promise<PlannedItem[]> {
  return await ledger.readLines<PlannedItem>(lines, plannedItem);
}

/** One large file of a part: of each lane the first has the lane's number, the next that and LANES, and so on. */
export interface LargeRef extends PartRef {
  large: number;
  /** All files of the lane. */
  lines: Lines;
}

/** The large file; undefined after the last of the lane. */
export async function readLarge(
  ledger: Ledger,
  { large, lines }: LargeRef,
): Promise<PlannedItem | undefined> {
  return (await readBatch(ledger, lines))[Math.floor(large / LANES)];
}
