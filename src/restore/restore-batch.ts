import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { fileError } from "../files/errors.ts";
import { byDirectory, inTarget } from "../files/in-directory.ts";
import { COST_OF_FILES, cutEvenly, weigh } from "../ledger/cut.ts";
import { openBatch, type BatchRef } from "../ledger/part-record.ts";
import { settleBatch } from "../ledger/settle-batch.ts";
import { plannedItem, type PlannedItem } from "../manifest/plan-record.ts";
import { failed, type Outcome, type Tally } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { openStore } from "../store/open-store.ts";
import { flush } from "./attributes.ts";
import { beginBatch, claimWritten, sweep } from "./in-place.ts";
import type { RestoreScope } from "./request.ts";
import { restoreContext, type RestoreContext } from "./restore-context.ts";
import { CannotWrite, explainFull, refusedTarget } from "./restore-error.ts";
import { restoreItem } from "./restore-file.ts";
import { restoreTogether, type Fetch } from "./restore-together.ts";
import { writeContent } from "./write-content.ts";

/** One is fetched and written while the other is flushed and renamed. */
const PIECES_AT_A_TIME = 2;

/**
 * Restores the files of one batch; see settleBatch. If an earlier delivery was interrupted, its half-written files are removed
 * first. When the disk is full, the rest is not tried.
 */
export async function restoreBatch(
  ref: BatchRef & RestoreScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger) => {
    const refused = await refusedTarget({ to: ref.target, realTo: ref.realTo }, settings);
    if (refused !== undefined) return refused;
    const items = await openBatch<PlannedItem>(ledger, ref, plannedItem);
    const name = `${ref.run}/${ref.part}/${ref.batch}`;
    const context = restoreContext(ref, name, settings);
    const begun = await beginBatch(ref, items, ledger, context);
    if (!begun.first) await sweep(items, context);
    const store = openStore(ref, service, settings);
    const fetch: Fetch = (some, work) => store.fetch(some, budget, work);
    let full: string | undefined;
    const outcomes: Outcome[] = [];
    const restorePiece = async (piece: PlannedItem[]): Promise<void> => {
      const changed = full === undefined ? piece.filter(({ path }) => !begun.unchanged.has(path)) : [];
      const together = await restoreTogether(changed, begun, context, fetch);
      const done = new Set(together.map(({ path }) => path));
      const left = piece.filter(({ path }) => !done.has(path));
      const singly = await fetch(left, async (item, read) => {
        if (full !== undefined) return failed(item, full);
        try {
          return await restoreItem(item, context, writeContent(read));
        } catch (error) {
          if (!(error instanceof CannotWrite)) throw error;
          full ??= explainFull(error.code, ref.target);
          return failed(item, full);
        }
      });
      outcomes.push(...together, ...singly);
    };
    await pMap(piecesOf(items), restorePiece, { concurrency: PIECES_AT_A_TIME });
    claimWritten(outcomes, begun);
    return { outcomes: await flushed(outcomes, context), stopped: full };
  });
}

/** Cuts what a batch restores, in order, into pieces of 1,000 small files or 64 MiB: a batch of packs may have many more. */
function piecesOf(items: readonly PlannedItem[]): PlannedItem[][] {
  const costOf = ({ size }: PlannedItem): number => size + COST_OF_FILES.ofFile;
  return cutEvenly(items, costOf, Math.ceil(weigh(items, costOf) / COST_OF_FILES.most));
}

/**
 * Flushes the directories of restored files before the outcomes are recorded, so that their names survive a crash.
 * @returns the outcomes; the files of a directory that could not be flushed have failed
 */
async function flushed(outcomes: readonly Outcome[], context: RestoreContext): Promise<Outcome[]> {
  const settled = new Map(outcomes.map((outcome) => [outcome.path, outcome]));
  const written = outcomes.filter(({ outcome }) => outcome === "copied");
  for (const [portable, inside] of byDirectory(written)) {
    try {
      await inTarget(context, portable, "flushing its directory", flush);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = `its directory could not be flushed to the disk: ${code === undefined ? message : fileError(code)}`;
      for (const outcome of inside) settled.set(outcome.path, failed(outcome, reason));
    }
  }
  return [...settled.values()];
}
