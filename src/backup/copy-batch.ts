import type { BlobServiceClient } from "@azure/storage-blob";
import { openBatch, type BatchRef } from "../ledger/parts.ts";
import { settleBatch } from "../ledger/settle-batch.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import type { CopyScope } from "./copy-scope.ts";
import { copyFile } from "./copy-file.ts";
import type { Entry } from "../model/entry.ts";
import { openStore } from "../store/open-store.ts";
import type { Tally } from "../model/outcome.ts";
import { isAllowed } from "../files/roots.ts";
import { confirmVanished, RootGone } from "./vanished.ts";

/** Copies the files of one batch; see settleBatch. If the root disappears, what was copied before is recorded. */
export async function copyBatch(
  ref: BatchRef & CopyScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger, record) => {
    if (!(await isAllowed(ref.realRoot, settings.roots, settings.fileTimeoutMs)))
      return `The directory ${ref.realRoot} is outside the directories that BACKUP_ROOTS allows.`;
    const entries = await openBatch<Entry>(ledger, ref);
    const { part, realRoot } = ref;
    const { fileTimeoutMs } = settings;
    // The layout decides which files it takes together, and calls back for each.
    const outcomes = await openStore(ref, service, settings).put(ref, entries, budget, (each, put) =>
      copyFile(each, put, { realRoot, fileTimeoutMs, budget }),
    );
    try {
      const searched = { ledger, part, record, realRoot, fileTimeoutMs };
      return { outcomes: await confirmVanished(outcomes, searched) };
    } catch (error) {
      if (!(error instanceof RootGone)) throw error;
      const tried = outcomes.filter(({ outcome }) => outcome !== "vanished");
      return { outcomes: tried, stopped: error.message };
    }
  });
}
