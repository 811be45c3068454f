import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { stopped, emptyTally, type Tally } from "../model/outcome.ts";
import { isFinal, readRecord, tally } from "../ledger/damaged.ts";
import { Ledger, toLines } from "../ledger/ledger.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import type { Settings } from "../settings.ts";
import { describe } from "../storage/errors.ts";
import { ExtraWalk, type Eraser } from "./extra-walk.ts";
import type { PlanOwn } from "../manifest/plan.ts";
import { refusedTarget } from "./refused-target.ts";
import type { RestoreRequest } from "./request.ts";
import { IncompleteRun, RunNames } from "../manifest/run-names.ts";
import { createSelection } from "../model/selection.ts";
import { sliceOutcomes } from "../ledger/names.ts";

/** An activity's input: one slice of the work. */
export interface SliceRef extends PlanOwn {
  run: string;
  request: RestoreRequest;
  slice: number;
  /** Remove only what is in the way of a restored item: in the place of a directory, or below that of a file. */
  inTheWay?: boolean;
}

/** A slice's record, written once as `deleted/{slice}.json`. */
export interface Slice {
  tally: Tally;
  /** Number of names removed; in a dry run, that would be. */
  deleted: number;
  /** The last name looked at, if there are more. */
  reached?: string;
  /** In a dry run: the directories above it in which everything before it would be gone. */
  emptied?: string[];
}

/**
 * Removes, for a bounded time, what the target has and the run has not. What is in the way goes before anything is restored,
 * everything else last, so that a restore that storage breaks off deletes nothing more. Only what the request's and the
 * run's patterns cover is removed, because a backup cannot bring back what it left out. What could not be backed up stays,
 * and nothing is removed if the run's record is not whole. Removed names are recorded in `deleted/{slice}.jsonl`.
 * @param erase undefined in a dry run, which only records what would be removed
 */
export async function seeToExtra(
  ref: SliceRef,
  service: BlobServiceClient,
  settings: Settings,
  erase?: Eraser,
): Promise<Slice> {
  try {
    return await see(ref, service, settings, erase);
  } catch (error) {
    if (!isFinal(error)) throw error;
    return stoppedSlice(describe(error));
  }
}

async function see(
  ref: SliceRef,
  service: BlobServiceClient,
  settings: Settings,
  erase: Eraser | undefined,
): Promise<Slice> {
  const ledger = new Ledger(service, ref.run);
  const before = await readSlice(ledger, ref);
  if (before) return before;
  const { request, source, realTo } = ref;
  const refused = await refusedTarget({ to: request.to, realTo }, settings);
  if (refused !== undefined) return stoppedSlice(refused);
  const { behindProxy } = settings;
  await using names = await RunNames.open({ service, behindProxy }, source.id);
  const last = ref.slice === 0 ? undefined : await readSlice(ledger, { ...ref, slice: ref.slice - 1 });
  const asked = createSelection(request);
  const options = {
    inTheWay: ref.inTheWay === true,
    until: performance.now() + settings.listMs,
    fileTimeoutMs: settings.fileTimeoutMs,
  };
  const selections = [asked, createSelection(source)];
  const walk = new ExtraWalk(realTo, names, selections, options, erase);
  try {
    if (ref.slice === 0) await names.assertWhole(source);
    await walk.run(last);
  } catch (error) {
    if (!(error instanceof IncompleteRun)) throw error;
    const more = ref.slice > 0 || walk.deleted.length > 0 ? "Nothing more" : "Nothing";
    const problem = `${more} was deleted or restored: "delete" needs a run whose record is whole, and ${error.message}.`;
    return await settleSlice(ledger, ref, walk, { stopped: problem });
  }
  return await settleSlice(ledger, ref, walk, { matched: asked.matched() });
}

function stoppedSlice(problem: string): Slice {
  return { tally: stopped(problem), deleted: 0 };
}

function nameOf({ slice, inTheWay }: Pick<SliceRef, "slice" | "inTheWay">): string {
  return inTheWay ? `deleted/before-${slice}` : `deleted/${slice}`;
}

async function readSlice(ledger: Ledger, ref: SliceRef): Promise<Slice | undefined> {
  const name = `${nameOf(ref)}.json`;
  const text = await ledger.read(name);
  return text === undefined ? undefined : readRecord<Slice>(text, sliceRecord, `${ledger.runId}/${name}`);
}

const sliceRecord = z.looseObject({
  tally,
  deleted: z.number().int().min(0),
  reached: z.string().optional(),
  emptied: z.array(z.string()).optional(),
});

async function settleSlice(
  ledger: Ledger,
  ref: SliceRef,
  { deleted, failures, reached, emptied }: ExtraWalk,
  said: { stopped: string } | { matched: number[] },
): Promise<Slice> {
  if (deleted.length > 0) await ledger.writeOnce(`${nameOf(ref)}.jsonl`, toLines(deleted));
  const record = sliceOutcomes(ref.inTheWay ? "deleted-before" : "deleted", ref.slice);
  const tally = failures.length > 0 ? await settleOutcomes(ledger, record, failures) : emptyTally();
  const slice: Slice = {
    tally: { ...tally, ...said },
    deleted: deleted.length,
    ...(reached === undefined ? {} : { reached }),
    ...(emptied.length === 0 ? {} : { emptied }),
  };
  const { won } = await ledger.writeOnce(`${nameOf(ref)}.json`, JSON.stringify(slice));
  return won ? slice : ((await readSlice(ledger, ref)) ?? slice);
}
