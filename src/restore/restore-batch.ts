import { readdir, unlink } from "node:fs/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../storage/budget.ts";
import { failed, emptyTally, type Outcome, type Tally } from "../model/outcome.ts";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { batchOutcomes, readTally, settleOutcomes } from "../ledger/outcomes.ts";
import type { Settings } from "../settings.ts";
import { describe } from "../storage/errors.ts";
import { ignore } from "../files/pinned-directory.ts";

import { readBatch } from "../manifest/plan.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import { byDirectory, inDirectory } from "../files/in-directory.ts";
import { beginBatch, type Begun } from "./in-place.ts";
import { refusedTarget } from "./refused-target.ts";
import { restoreContext } from "./restore-context.ts";
import type { RestoreScope } from "./restore-scope.ts";
import { CannotWrite, explainFull, isTemporaryOf, restoreItem, type RestoreContext } from "./restore-file.ts";

/**
 * Restores the files of one batch and records what became of each. A batch that was recorded before is not restored
 * again. A batch that was begun before and not recorded was broken off: what it left half-written is removed first.
 * @returns the tally; `stopped` is set when the disk is full or storage refuses, so that the rest was not tried
 * @throws errors of the storage account that may pass: the whole batch is to be tried again
 */
export async function restoreBatch(
  ref: BatchRef & RestoreScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  try {
    const record = batchOutcomes(ref.part, ref.batch);
    const before = await readTally(ledger, record);
    if (before !== undefined) return before;
    const refused = await refusedTarget({ to: ref.target, realTo: ref.realTo }, settings);
    if (refused !== undefined) return { ...emptyTally(), stopped: refused };
    const items = await readBatch(ledger, ref.lines);
    const work = `${ref.run}/${ref.part}/${ref.batch}`;
    const context = restoreContext(ref, work, { service, settings, budget });
    const begun = await beginBatch(ref, items, ledger, context);
    if (!begun.first) await sweep(items, context);
    const { outcomes, stopped } = await restoreAll(items, context, ref.target);
    claimWritten(outcomes, begun);
    await flush(outcomes, context);
    return await settleOutcomes(ledger, record, outcomes, stopped);
  } catch (error) {
    if (isFinal(error)) return { ...emptyTally(), stopped: describe(error) };
    throw error;
  }
}

async function restoreAll(
  items: readonly PlannedItem[],
  context: RestoreContext,
  to: string,
): Promise<{ outcomes: Outcome[]; stopped?: string }> {
  let failure: unknown;
  let full: string | undefined;
  const restores = items.map((item) =>
    context.budget.file(async () => {
      if (failure !== undefined) return undefined;
      if (full !== undefined) return failed(item, full);
      try {
        return await restoreItem(item, context);
      } catch (error) {
        if (error instanceof CannotWrite) {
          full ??= explainFull(error.code, to);
          return failed(item, full);
        }
        // One error of the account is enough: the rest of the batch is left for the next try.
        failure ??= error;
        return undefined;
      }
    }),
  );
  const outcomes = (await Promise.all(restores)).filter((outcome) => outcome !== undefined);
  if (failure !== undefined) throw failure;
  return full === undefined ? { outcomes } : { outcomes, stopped: full };
}

/** What is as it should be and was not so at the beginning, another delivery of the batch has restored. */
function claimWritten(outcomes: Outcome[], { unchanged }: Begun): void {
  for (const outcome of outcomes) {
    if (outcome.outcome === "unchanged" && !unchanged.has(outcome.path)) outcome.outcome = "copied";
  }
}

/** Removes the temporary files that another attempt of this batch left. */
async function sweep(items: readonly PlannedItem[], context: RestoreContext): Promise<void> {
  const { mark } = context;
  for (const portable of byDirectory(items).keys()) {
    await inDirectory(context, portable, async (directory) => {
      for (const name of await readdir(directory.path("."))) {
        if (isTemporaryOf(mark, name)) await unlink(directory.path(name)).catch(ignore("ENOENT"));
      }
    });
  }
}

/** Makes the names of the files that were restored last, before it is recorded that they were. */
async function flush(outcomes: readonly Outcome[], context: RestoreContext): Promise<void> {
  const written = outcomes.filter(({ outcome }) => outcome === "copied");
  for (const portable of byDirectory(written).keys()) {
    await inDirectory(context, portable, (directory) => directory.sync());
  }
}
