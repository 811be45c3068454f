import type { BlobServiceClient } from "@azure/storage-blob";
import { entry, isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { batchOutcomes, readTally, settleOutcomes } from "../ledger/outcomes.ts";
import type { Settings } from "../settings.ts";
import { classify, describe, inWords } from "../storage/errors.ts";
import { PutBlobRequests } from "../storage/put-blob-request.ts";
import { createContainer } from "../ledger/ledger.ts";
import type { Budget } from "../storage/budget.ts";
import type { CopyContext } from "./copy-context.ts";
import type { CopyScope } from "./copy-scope.ts";
import { copyFile } from "./copy-file.ts";
import type { Entry } from "../model/entry.ts";
import { OldContent } from "../store/old-content.ts";
import { emptyTally, type Outcome, type Tally } from "../model/outcome.ts";
import { isAllowed } from "../files/roots.ts";
import { confirmVanished, RootGone } from "./vanished.ts";

/**
 * Copies the files of one batch and records what became of each. A batch that was recorded before is not copied
 * again: its tally is given back, so that any number of deliveries counts each file once.
 * @returns the tally; `stopped` is set when storage refuses, and nothing is recorded then, or when the root is gone, and
 * what was copied before that is recorded
 * @throws errors of the storage account that may pass: the whole batch is to be tried again
 */
export async function copyBatch(
  ref: BatchRef & CopyScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  try {
    const record = batchOutcomes(ref.part, ref.batch);
    const before = await readTally(ledger, record);
    if (before !== undefined) return before;
    if (!(await isAllowed(ref.realRoot, settings.roots, settings.fileTimeoutMs))) {
      return {
        ...emptyTally(),
        stopped: `${ref.realRoot} is not in one of the directories that BACKUP_ROOTS allows.`,
      };
    }
    const entries = await ledger.readLines<Entry>(ref.lines, entry);
    const context = contextOf(ref.run, ref, service, settings, budget);
    const outcomes = await copyAll(entries, context);
    const searched = { ...context, ledger, part: ref.part, record };
    let stopped: string | undefined;
    const confirmed = await confirmVanished(outcomes, searched).catch((error: unknown) => {
      if (!(error instanceof RootGone)) throw error;
      stopped = error.message;
      return outcomes.filter(({ outcome }) => outcome !== "vanished");
    });
    return await settleOutcomes(ledger, record, confirmed, stopped);
  } catch (error) {
    if (isFinal(error)) return { ...emptyTally(), stopped: describe(error) };
    throw inWords(error);
  }
}

function contextOf(
  runId: string,
  { root, realRoot, container: name, prefix, keep }: CopyScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): CopyContext {
  const container = service.getContainerClient(name);
  return {
    runId,
    root,
    realRoot,
    container,
    requests: new PutBlobRequests(container, settings.behindProxy),
    prefix,
    oldContent: new OldContent(new Ledger(service, runId), keep),
    budget,
    fileTimeoutMs: settings.fileTimeoutMs,
  };
}

async function copyAll(entries: readonly Entry[], context: CopyContext): Promise<Outcome[]> {
  let failure: unknown;
  const copies = entries.map((entry) =>
    context.budget.file(async () => {
      if (failure !== undefined) return undefined;
      try {
        return await copyMakingContainer(entry, context);
      } catch (error) {
        // One error of the account is enough: the rest of the batch is left for the next try.
        failure ??= error;
        return undefined;
      }
    }),
  );
  const outcomes = await Promise.all(copies);
  if (failure !== undefined) throw failure;
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** The container is made when it turns out to be missing, so that an app that may only write blobs is enough otherwise. */
async function copyMakingContainer(entry: Entry, context: CopyContext): Promise<Outcome> {
  try {
    return await copyFile(entry, context);
  } catch (error) {
    if (classify(error) !== "missing") throw error;
    await createContainer(context.container);
    return await copyFile(entry, context);
  }
}
