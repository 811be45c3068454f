import type { BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { RUN_ID } from "../model/run-id.ts";

/** The ids of all runs that have a folder in the ledger, even if the index of runs lacks them. */
export async function* runFolders(service: BlobServiceClient): AsyncGenerator<string> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  let continuationToken: string | undefined;
  do {
    const token = continuationToken;
    let page;
    try {
      page = await withRetries((abortSignal) =>
        container
          .listBlobsByHierarchy("/", { abortSignal })
          .byPage({ maxPageSize: 5000, ...(token ? { continuationToken: token } : {}) })
          .next(),
      );
    } catch (error) {
      if (classify(error) === "missing") return;
      throw error;
    }
    if (page.done) return;
    for (const { name } of page.value.segment.blobPrefixes ?? []) {
      const folder = name.slice(0, -1);
      // Other folders are the index and the like, or not the app's.
      if (RUN_ID.test(folder)) yield folder;
    }
    continuationToken = page.value.continuationToken || undefined;
  } while (continuationToken);
}
