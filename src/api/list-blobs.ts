import type { BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { blobPages, type BlobPage } from "../storage/blob-pages.ts";
import { classify } from "../storage/errors.ts";
import { BadContinuation } from "./continuation.ts";

/**
 * The blobs below a prefix of the ledger container, with metadata, one list call a page. None if the container does
 * not exist.
 * @param options from: a marker, as a caller returned it
 * @throws BadContinuation for a marker that the service did not issue
 */
export async function* listPages(
  service: BlobServiceClient,
  prefix: string,
  options: { from?: string | undefined } = {},
): AsyncGenerator<BlobPage> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  try {
    yield* blobPages(container, { prefix, includeMetadata: true }, options);
  } catch (error) {
    if (options.from !== undefined && classify(error) === "invalid") throw new BadContinuation();
    throw error;
  }
}
