import type { BlobServiceClient, BlockBlobClient } from "@azure/storage-blob";
import { z } from "zod";
import { fileSize, readRecord } from "../../ledger/damaged.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openLarge as openLine, type LargeRef } from "../../ledger/parts.ts";
import { blobName } from "../../model/blob-name.ts";
import { markBeside } from "../blocks-there.ts";
import { BLOCK } from "../../storage/budget.ts";
import type { CopyScope } from "../copy-scope.ts";
import type { Entry } from "../../model/entry.ts";
import type { OpenFile } from "../../files/read-file.ts";

const MIB = 1024 * 1024;
/** Blob Storage's limit on the blocks of a blob. */
const MAX_BLOCKS = 50_000;
/** Blob Storage's limit on a block. */
const MAX_BLOCK = 4_000 * MIB;
/** Blocks that one activity sends: 128 MiB take it half a minute even at 4 MiB/s. */
const BLOCKS_A_RANGE = 16;
/** Ranges that are in the hands of activities at a time; then the orchestration begins anew with the next ones. */
export const RANGES_A_WAVE = 64;

/** One large file of a listing, as an orchestration is given it. */
export interface LargeFileRef extends LargeRef, CopyScope {}

/** One try at a large file. A file that changes is tried again from the start. */
export interface AttemptRef extends LargeFileRef {
  attempt: number;
}

/** What the file of an attempt was, and how its blocks are named: written once, so that all activities send the same ones. */
interface PlanRecord {
  /** What the file was: a range of any other file is not sent. */
  size: number;
  /** Milliseconds, as the file system gives them. */
  mtimeMs: number;
  ctimeMs: number;
  ino: number;
  /** Of the block ids of this attempt; see newMark. */
  mark: string;
}

/** How one attempt copies the file. */
export interface Plan extends PlanRecord {
  /** Bytes. */
  block: number;
  blocks: number;
  ranges: number;
  /** Bytes of a range; the last one may be shorter. */
  range: number;
}

const schema = z.looseObject({
  size: fileSize,
  mtimeMs: z.number(),
  ctimeMs: z.number(),
  ino: z.number(),
  mark: z.base64().max(100),
});

/** A large file that Blob Storage cannot hold. */
export class TooLarge extends Error {}

/** Decides how an attempt copies a file, unless it was decided before. */
export async function planAttempt(
  file: OpenFile,
  blob: BlockBlobClient,
  ref: AttemptRef,
  ledger: Ledger,
): Promise<Plan> {
  const before = await readPlan(ledger, ref);
  if (before) return before;
  const { size, mtimeMs, ctimeMs, ino } = file.stats;
  const record: PlanRecord = { size, mtimeMs, ctimeMs, ino, mark: await markBeside(blob) };
  const plan = planOf(record);
  const { won } = await ledger.writeOnce(planName(ref), JSON.stringify(record));
  return won ? plan : ((await readPlan(ledger, ref)) ?? plan);
}

function planOf(record: PlanRecord): Plan {
  const { size } = record;
  const block = blockFor(size);
  const range = block * BLOCKS_A_RANGE;
  return {
    ...record,
    block,
    blocks: Math.ceil(size / block),
    range,
    ranges: Math.ceil(size / range),
  };
}

/** The plan of an attempt, or undefined when there is none yet. */
export async function readPlan(ledger: Ledger, ref: AttemptRef): Promise<Plan | undefined> {
  const text = await ledger.read(planName(ref));
  if (text === undefined) return undefined;
  return planOf(readRecord<PlanRecord>(text, schema, `${ledger.runId}/${planName(ref)}`));
}

/** Whether an open file is the one that was planned for: same file, same size, not written since. */
export function isAsPlanned(file: OpenFile, plan: Plan): boolean {
  const { size, mtimeMs, ctimeMs, ino } = file.stats;
  return size === plan.size && mtimeMs === plan.mtimeMs && ctimeMs === plan.ctimeMs && ino === plan.ino;
}

/** The listing's line for a large file. */
export async function openLarge(ledger: Ledger, ref: LargeFileRef): Promise<Entry> {
  const entry = await openLine<Entry>(ledger, ref);
  if (!entry)
    throw new Error(`The ledger of run ${ref.run} has no large file ${ref.large} in part ${ref.part}.`);
  return entry;
}

/** Its blob. */
export function largeBlob(
  service: BlobServiceClient,
  { container, prefix }: CopyScope,
  { path }: Entry,
): BlockBlobClient {
  return service.getContainerClient(container).getBlockBlobClient(blobName(path, prefix));
}

/** The smallest block, in whole MiB and at least BLOCK, of which MAX_BLOCKS hold the file. */
export function blockFor(size: number): number {
  const block = Math.max(BLOCK, Math.ceil(size / MAX_BLOCKS / MIB) * MIB);
  if (block > MAX_BLOCK) {
    throw new TooLarge(
      `its ${size} bytes are more than a block blob can hold: ${MAX_BLOCKS} blocks of 4,000 MiB, about 190.7 TiB`,
    );
  }
  return block;
}

function planName({ part, large, attempt }: AttemptRef): string {
  return `lists/${part}-large-${large}-${attempt}.json`;
}
