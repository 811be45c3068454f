import type { BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../backup/request.ts";
import { blobPages, type BlobPage } from "../storage/blob-pages.ts";

/** The blobs of the ledgers below a prefix with their metadata, a list call a page. None where there is no ledger yet. */
export function listPages(
  service: BlobServiceClient,
  prefix: string,
  options: { from?: string | undefined } = {},
): AsyncGenerator<BlobPage> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  return blobPages(container, { prefix, includeMetadata: true }, options);
}
