import { randomUUID } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { cut, MAX_BATCHES } from "../backup/batches.ts";
import { emptyTally, type Outcome, type Tally } from "../backup/outcome.ts";
import { MAX_PARTS } from "../backup/rest.ts";
import { z } from "zod";
import { entry, fileSize, listRange, readVersioned, tally } from "../ledger/damaged.ts";
import { Ledger, toLine, type ListRange } from "../ledger/ledger.ts";
import { inTurns } from "../model/in-turns.ts";
import { lineRanges, listingName, type Batch } from "../ledger/listing.ts";
import { listingOutcomes, settleOutcomes } from "../ledger/outcomes.ts";
import { listManifest, missingRecords, readManifest } from "./manifest.ts";
import type { ManifestBlob, ManifestItem } from "./manifest.ts";
import type { Source } from "./find-content.ts";
import type { SourceRun } from "./source-run.ts";

/** One item and where its content is: a line of a batch. */
export interface PlannedItem extends ManifestItem {
  source: Source;
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
  /** What was settled while planning. */
  found: Tally;
  batches: Batch[];
  /** Files that are restored, or read back, by ranges, each range one line. */
  large?: ListRange[];
  rest: ListRange[];
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

/** Looks at some items: which are for a batch, and what is settled at once. */
export type Examine = (items: ManifestItem[]) => Promise<{ planned: PlannedItem[]; settled: Outcome[] }>;

const manifestBlob = z.looseObject({ name: z.string().startsWith("outcomes/"), files: z.number().min(0) });
const plannedItem = entry.extend({
  md5: z.string(),
  source: z.looseObject({ length: fileSize }),
});
const schema = z.looseObject({
  version: z.literal(1),
  request: z.looseObject({}),
  source: z.looseObject({ id: z.string(), container: z.string(), prefix: z.string() }),
  realTo: z.string(),
  made: z.boolean().optional(),
  found: tally,
  batches: z.array(listRange),
  rest: z.array(listRange),
});

/** Blobs of a manifest that are read at a time. */
const READS = 16;

/** Plans one part; a part that was planned before is not planned again. */
export async function settlePart<Request>(
  ledger: Ledger,
  part: string,
  base: PlanBase<Request>,
  tools: { service: BlobServiceClient; filesPerPart: number; examine: Examine; largeFile?: number },
): Promise<Plan<Request>> {
  const { service, filesPerPart, examine, largeFile = Infinity } = tools;
  const sourceLedger = new Ledger(service, base.source.id);
  const { pending, damage } = await partOf(ledger, part, base.source, service);
  let settled = damage;
  let planned: PlannedItem[] = [];

  const attempt = `lists/${part}-${randomUUID()}`;
  const files = pending.reduce((sum, blob) => sum + blob.files, 0);
  const divide = files > filesPerPart && pending.length > 1;
  const rest = divide ? await divided(pending, files, filesPerPart, ledger, `${attempt}.rest.jsonl`) : [];
  if (!divide) {
    const pages = await pMap(pending, (blob) => readManifest(sourceLedger, blob), { concurrency: READS });
    // All at once, for a directory's files may be in many pages, and each directory is to be listed once.
    const examined = await examine(pages.flatMap((page) => page.items));
    settled = [...damage, ...pages.flatMap((page) => page.damage), ...examined.settled];
    planned = examined.planned;
  }

  const isLarge = ({ kind, size }: PlannedItem): boolean => kind === "file" && size > largeFile;
  const small = planned.filter((item) => !isLarge(item));
  const lines = await inTurns(small, toLine);
  const largeLines = planned.filter(isLarge).map(toLine);
  if (largeLines.length > 0) await ledger.writeOnce(`${attempt}.large.jsonl`, largeLines.join(""));
  if (lines.length > 0) await ledger.writeOnce(`${attempt}.jsonl`, lines.join(""));
  const found =
    settled.length > 0 ? await settleOutcomes(ledger, listingOutcomes(part), settled) : emptyTally();
  return await settlePlan(ledger, part, {
    version: 1,
    ...base,
    found,
    batches: cut(
      `${attempt}.jsonl`,
      small,
      lines,
      part === WHOLE_RUN,
      MAX_BATCHES - Math.min(LANES, largeLines.length),
    ),
    large: lineRanges(`${attempt}.large.jsonl`, largeLines),
    rest,
    toDo: { files: planned.length, bytes: planned.reduce((sum, { size }) => sum + size, 0) },
  });
}

/** Orchestrations that the large files of a part are shared among. */
export const LANES = 16;

/** The part that is the whole run. */
export const WHOLE_RUN = "0";

/** The blobs of the manifest that a part is about; for the whole run also what its ledger lacks. */
async function partOf(
  ledger: Ledger,
  part: string,
  source: SourceRun,
  service: BlobServiceClient,
): Promise<{ pending: ManifestBlob[]; damage: Outcome[] }> {
  if (part !== WHOLE_RUN) {
    const dot = part.lastIndexOf(".");
    const parent = await readPlan(ledger, part.slice(0, dot));
    const range = parent?.rest[Number(part.slice(dot + 1))];
    if (!range) throw new Error(`The ledger of run ${ledger.runId} does not know the part ${part}.`);
    return { pending: await ledger.readLines<ManifestBlob>(range, manifestBlob), damage: [] };
  }
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
): Promise<ListRange[]> {
  const share = Math.max(filesPerPart, files / MAX_PARTS);
  const lines = pending.map(toLine);
  await ledger.writeOnce(list, lines.join(""));
  const ranges: ListRange[] = [];
  let range: ListRange = { list, offset: 0, length: 0 };
  let inRange = 0;
  pending.forEach((blob, index) => {
    if (inRange > 0 && inRange + blob.files > share && ranges.length < MAX_PARTS - 1) {
      ranges.push(range);
      range = { list, offset: range.offset + range.length, length: 0 };
      inRange = 0;
    }
    range.length += Buffer.byteLength(lines[index] ?? "");
    inRange += blob.files;
  });
  return [...ranges, range];
}

const cache = new Map<string, Plan<unknown>>();
const CACHED = 32;

/** The plan of a part, or undefined when it was not planned yet. */
export async function readPlan<Request>(ledger: Ledger, part: string): Promise<Plan<Request> | undefined> {
  const key = `${ledger.runId}/${part}`;
  const cached = cache.get(key);
  if (cached) return cached as Plan<Request>;
  const text = await ledger.read(listingName(part));
  if (text === undefined) return undefined;
  const plan = readVersioned<Plan<Request>>(text, schema, ledger.runId, listingName(part));
  cache.set(key, plan);
  const oldest = cache.keys().next();
  if (cache.size > CACHED && !oldest.done) cache.delete(oldest.value);
  return plan;
}

/** Writes the plan of a part, unless another delivery of the activity did: then gives that one. */
export async function settlePlan<Request>(
  ledger: Ledger,
  part: string,
  plan: Plan<Request>,
): Promise<Plan<Request>> {
  const { toDo, rest } = plan;
  // In metadata, so that a run's progress is one list call.
  const metadata = { files: String(toDo.files), bytes: String(toDo.bytes), rest: String(rest.length) };
  const { won } = await ledger.writeOnce(listingName(part), JSON.stringify(plan), metadata);
  return won ? plan : ((await readPlan<Request>(ledger, part)) ?? plan);
}

/** A plan of nothing, and why. */
export function noPlan<Request>(base: PlanBase<Request>, problem: string): Plan<Request> {
  return {
    version: 1,
    ...base,
    found: emptyTally(),
    batches: [],
    rest: [],
    toDo: { files: 0, bytes: 0 },
    problem,
  };
}

/** The plan of a batch's part and the items of the batch. */
export async function openBatch<Request>(
  ledger: Ledger,
  { part, batch }: { part: string; batch: number },
): Promise<{ plan: Plan<Request>; items: PlannedItem[] }> {
  const plan = await readPlan<Request>(ledger, part);
  const range = plan?.batches[batch];
  if (!plan || !range)
    throw new Error(`The ledger of run ${ledger.runId} has no batch ${batch} of part ${part}.`);
  return { plan, items: await ledger.readLines<PlannedItem>(range, plannedItem) };
}

/** One large file of a plan, as an orchestration is given it. */
export interface LargeRef {
  run: string;
  part: string;
  large: number;
}

/** The plan of a large file's part and the file; undefined when the plan has no so many. */
export async function openLarge<Request>(
  ledger: Ledger,
  { part, large }: LargeRef,
): Promise<{ plan: Plan<Request>; item: PlannedItem } | undefined> {
  const plan = await readPlan<Request>(ledger, part);
  if (!plan) throw new Error(`The ledger of run ${ledger.runId} has no part ${part}.`);
  const range = plan.large?.[large];
  const [item] = range ? await ledger.readLines<PlannedItem>(range, plannedItem) : [];
  return item && { plan, item };
}

/** The name of the outcome of a large file. */
export function largeOutcome({ part, large }: LargeRef): string {
  return `outcomes/${part}-large-${String(large).padStart(4, "0")}.jsonl`;
}
