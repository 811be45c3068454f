import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { cut, MAX_BATCHES } from "../backup/batches.ts";
import { emptyTally, type Outcome, type Tally } from "../backup/outcome.ts";
import { MAX_PARTS } from "../backup/rest.ts";
import { z } from "zod";
import { ChangedRecord, entry, fileSize, listRange, mode, readVersioned, tally } from "../ledger/damaged.ts";
import { Ledger, toLine, toLines, type Lines, type ListRange } from "../ledger/ledger.ts";
import { listingName, rangesOf, type Batch, type PartRef } from "../ledger/listing.ts";
import { inTurns } from "../model/in-turns.ts";
import { listingOutcomes, settleOutcomes } from "../ledger/outcomes.ts";
import { listManifest, missingRecords, readManifest } from "./manifest.ts";
import type { ManifestBlob, ManifestItem } from "./manifest.ts";
import type { Source } from "./find-content.ts";
import { LANES, lanesOf } from "./lanes.ts";
import type { SourceRun } from "./source-run.ts";

/** One item and where its content is: a line of a batch. */
export interface PlannedItem extends ManifestItem {
  source: Source;
  /** Modes of the directories above it, the topmost first; null where the run did not record one. */
  above?: (number | null)[];
}

/** The whole run, or a part of it that another plan left. */
export interface PlanInput<Request> extends PartRef {
  request: Request;
  left?: Omit<PlanBase<Request>, "request"> & { lines: Lines };
}

/**
 * What is to be done with one part of a run: written once as `lists/{part}.json` in the ledger of the restore (or
 * verification), as a backup's listing is. Batches are ranges of planned items; the rest are ranges of blobs of the
 * run's manifest, each for a sub-orchestration.
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

const manifestBlob = z.looseObject({ name: z.string().startsWith("outcomes/"), files: z.number().min(0) });
const plannedItem = entry.extend({
  md5: z.string(),
  source: z.looseObject({ length: fileSize }),
  above: z.array(mode.nullable()).optional(),
});
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
  const { pending, damage } = await partOf(ledger, left?.lines, base.source, service);
  let settled = damage;
  let planned: PlannedItem[] = [];
  let matched: number[] = [];
  let makes = "";

  const attempt = `lists/${part}-${randomUUID()}`;
  const files = pending.reduce((sum, blob) => sum + blob.files, 0);
  const divide = files > filesPerPart && pending.length > 1;
  const rest = divide ? await divided(pending, files, filesPerPart, ledger, `${attempt}.rest.jsonl`) : [];
  if (!divide) {
    const pages = await pMap(pending, (blob) => readManifest(sourceLedger, blob), { concurrency: READS });
    // All at once, for a directory's files may be in many pages, and each directory is to be listed once.
    const examined = await examine(
      pages.flatMap((page) => page.items),
      pending,
    );
    settled = [...damage, ...pages.flatMap((page) => page.damage), ...examined.settled];
    ({ planned, matched = [] } = examined);
    makes = toLines(examined.makes ?? []);
  }

  const isLarge = ({ kind, size }: PlannedItem): boolean => kind === "file" && size > largeFile;
  const small = planned.filter((item) => !isLarge(item));
  const lines = await inTurns(small, toLine);
  const lanes = lanesOf(planned.filter(isLarge)).map(toLines);
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
    batches: cut(`${attempt}.jsonl`, small, lines, part === WHOLE_RUN, MAX_BATCHES - lanes.length),
    large: rangesOf(`${attempt}.large.jsonl`, lanes),
    ...(makes === ""
      ? {}
      : { makes: { list: `${attempt}.makes.jsonl`, offset: 0, length: Buffer.byteLength(makes) } }),
    rest,
    toDo: { files: planned.length, bytes: planned.reduce((sum, { size }) => sum + size, 0) },
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
  if (!agrees) throw new ChangedRecord(`${ledger.runId}/${listingName(part)}`);
  return plan;
}

/** The part that is the whole run. */
export const WHOLE_RUN = "0";

/** The blobs of the manifest that a part is about; for the whole run also what its ledger lacks. */
async function partOf(
  ledger: Ledger,
  left: Lines | undefined,
  source: SourceRun,
  service: BlobServiceClient,
): Promise<{ pending: ManifestBlob[]; damage: Outcome[] }> {
  if (left) return { pending: await ledger.readLines<ManifestBlob>(left, manifestBlob), damage: [] };
  const pending = await listManifest(service, source.id);
  // Of a run that was broken off it is expected that records are missing.
  const ended = source.status !== "running" && source.status !== "canceled";
  return { pending, damage: ended ? await missingRecords(new Ledger(service, source.id), pending) : [] };
}

/** Cuts a manifest into parts of about as many files each, and writes them to the ledger. */
async function divided(
  pending: readonly ManifestBlob[],
  files: number,
  filesPerPart: number,
  ledger: Ledger,
  list: string,
): Promise<Lines[]> {
  const share = Math.max(filesPerPart, files / MAX_PARTS);
  const lines = pending.map(toLine);
  await ledger.writeOnce(list, lines.join(""));
  const pieces = [""];
  let inPiece = 0;
  pending.forEach((blob, index) => {
    if (inPiece > 0 && inPiece + blob.files > share && pieces.length < MAX_PARTS) {
      pieces.push("");
      inPiece = 0;
    }
    pieces[pieces.length - 1] += lines[index] ?? "";
    inPiece += blob.files;
  });
  return rangesOf(list, pieces);
}

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

/** The name of the outcome of a large file. */
export function largeOutcome({ part, large }: Pick<LargeRef, "part" | "large">): string {
  return `outcomes/${part}-large-${String(large).padStart(4, "0")}.jsonl`;
}
