import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { PruneLock } from "./prune-lock.ts";
import { blobPages } from "../storage/blob-pages.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";

/** Blobs that are deleted at a time. */
const AT_A_TIME = 32;

/**
 * Lets backups in again, and leaves of the prune's ledger what tells of it: its record, its decision, its outcomes. The
 * lists name all that the container holds, and would pile up with each prune. Done twice it is as good as once.
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
    // A dry run needs no permission to delete, and is right all the same.
    if (classify(error) !== "refused") throw error;
  }
}
