import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../ledger/ledger.ts";
import { openBatch, type BatchRef } from "../ledger/parts.ts";
import { forEachItem, settleBatch } from "../ledger/settle-batch.ts";
import type { Settings } from "../settings.ts";
import { classify } from "../storage/errors.ts";
import { PutBlobRequests } from "../storage/put-blob-request.ts";
import { createContainer } from "../ledger/ledger.ts";
import type { Budget } from "../storage/budget.ts";
import type { CopyContext } from "./copy-context.ts";
import type { CopyScope } from "./copy-scope.ts";
import { copyFile } from "./copy-file.ts";
import type { Entry } from "../model/entry.ts";
import { OldContent } from "../store/files/old-content.ts";
import type { Outcome, Tally } from "../model/outcome.ts";
import { isAllowed } from "../files/roots.ts";
import { confirmVanished, RootGone } from "./vanished.ts";

/** Copies the files of one batch; see settleBatch. When the root is gone, what was copied before that is recorded. */
export async function copyBatch(
  ref: BatchRef & CopyScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger, record) => {
    if (!(await isAllowed(ref.realRoot, settings.roots, settings.fileTimeoutMs)))
      return `${ref.realRoot} is not in one of the directories that BACKUP_ROOTS allows.`;
    const entries = await openBatch<Entry>(ledger, ref);
    const context = contextOf(ref.run, ref, service, settings, budget);
    const outcomes = await forEachItem(entries, budget, (each) => copyMakingContainer(each, context));
    try {
      return { outcomes: await confirmVanished(outcomes, { ...context, ledger, part: ref.part, record }) };
    } catch (error) {
      if (!(error instanceof RootGone)) throw error;
      const tried = outcomes.filter(({ outcome }) => outcome !== "vanished");
      return { outcomes: tried, stopped: error.message };
    }
  });
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
