import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { Ledger, toLines } from "../ledger/ledger.ts";
import { DELETED, sliceOutcomes } from "../ledger/names.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { tally } from "../ledger/schemas.ts";
import { settleSlice } from "../ledger/settle-steps.ts";
import type { PlanOwn } from "../manifest/plan-record.ts";
import { IncompleteRun, RunNames } from "../manifest/run-names.ts";
import { createSelection } from "../model/filter.ts";
import { emptyTally, type Tally } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import { ExtraWalk, type Eraser } from "./extra-walk.ts";
import type { RestoreRequest } from "./request.ts";
import { refusedTarget } from "./restore-error.ts";

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
 * Removes, for a bounded time, what the target has and the run has not. What is in the way is removed before anything is
 * restored, everything else last, so that a restore that storage cuts short deletes nothing more. Only what the request's and the
 * run's patterns cover is removed, because a backup cannot bring back what it left out. What could not be backed up stays,
 * and nothing is removed if the run's record is not whole. Removed names are recorded in `deleted/{slice}.jsonl`.
 * @param erase undefined in a dry run, which only records what would be removed
 */
export async function handleExtra(
  ref: SliceRef,
  service: BlobServiceClient,
  settings: Settings,
  erase?: Eraser,
): Promise<Slice> {
  const ledger = new Ledger(service, ref.run);
  const { request, source, realTo, slice, inTheWay = false } = ref;
  const folder = inTheWay ? `${DELETED}before-` : DELETED;
  const kind = {
    nameOf: (number: number) => `${folder}${number}.json`,
    record: sliceRecord,
    nothing: { deleted: 0 },
  };
  return await settleSlice<Slice>(ledger, slice, kind, async (last) => {
    const refused = await refusedTarget({ to: request.to, realTo }, settings);
    if (refused !== undefined) return refused;
    const { behindProxy, fileTimeoutMs, listMs } = settings;
    await using names = await RunNames.open({ service, behindProxy }, source.id);
    const asked = createSelection(request);
    const options = { inTheWay, until: performance.now() + listMs, fileTimeoutMs };
    const walk = new ExtraWalk(realTo, names, [asked, createSelection(source)], options, erase);
    let problem: string | undefined;
    try {
      if (slice === 0) await names.assertWhole(source);
      await walk.run(last);
    } catch (error) {
      if (!(error instanceof IncompleteRun)) throw error;
      const what = slice > 0 || walk.deleted.length > 0 ? "Nothing more" : "Nothing";
      problem = `${what} was deleted or restored: "delete" needs a run whose record is whole, and ${error.message}.`;
    }
    const { deleted, failures, reached, emptied } = walk;
    if (deleted.length > 0) await ledger.writeOnce(`${folder}${slice}.jsonl`, toLines(deleted));
    const record = sliceOutcomes(inTheWay ? "deleted-before" : "deleted", slice);
    const settled = failures.length > 0 ? await settleOutcomes(ledger, record, failures) : emptyTally();
    return {
      tally: { ...settled, ...(problem === undefined ? { matched: asked.matched() } : { stopped: problem }) },
      deleted: deleted.length,
      ...(reached === undefined ? {} : { reached }),
      ...(emptied.length === 0 ? {} : { emptied }),
    };
  });
}

const sliceRecord = z.looseObject({
  tally,
  deleted: z.number().int().min(0),
  reached: z.string().optional(),
  emptied: z.array(z.string()).optional(),
});
