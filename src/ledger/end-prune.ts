import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { blobPages } from "../storage/blob-pages.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { PruneLock } from "./prune-lock.ts";

/** Concurrent deletions. */
const AT_A_TIME = 32;

/**
 * Releases the lock, and deletes the prune's lists: they name everything in the container, and would pile up.
 * Its record, decision and outcomes stay. Idempotent.
 */
export async function endPrune(
  service: BlobServiceClient,
  prune: { id: string; container: string; prefix: string },
): Promise<void> {
  await new PruneLock(service, prune).release();
  const container = service.getContainerClient(LEDGER_CONTAINER);
  const remove = (name: string) =>
    withRetries((abortSignal) => container.getBlobClient(name).deleteIfExists({ abortSignal }));
  try {
    for await (const { blobs } of blobPages(container, { prefix: `${prune.id}/lists/` })) {
      await pMap(blobs, ({ name }) => remove(name), { concurrency: AT_A_TIME });
    }
  } catch (error) {
    // A dry run needs no permission to delete.
    if (classify(error) !== "refused") throw error;
  }
}
