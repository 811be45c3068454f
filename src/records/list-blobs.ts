import type { BlobItem, BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../backup/request.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";

/** Some blobs of the ledger container in the order of their names, and the marker that gives the same again. */
export interface BlobPage {
  blobs: BlobItem[];
  /** The marker of this page; undefined for the first. */
  marker: string | undefined;
}

/** The blobs below a prefix with their metadata, a list call a page. None where there is no ledger yet. */
export async function* listPages(
  service: BlobServiceClient,
  prefix: string,
  { from, size = 5000 }: { from?: string | undefined; size?: number } = {},
): AsyncGenerator<BlobPage> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  let marker = from;
  do {
    const current = marker;
    let page;
    try {
      page = await withRetries((abortSignal) =>
        container
          .listBlobsFlat({ prefix, includeMetadata: true, abortSignal })
          .byPage({ maxPageSize: size, ...(current ? { continuationToken: current } : {}) })
          .next(),
      );
    } catch (error) {
      if (classify(error) === "missing") return;
      throw error;
    }
    if (page.done) return;
    yield { blobs: page.value.segment.blobItems, marker: current };
    marker = page.value.continuationToken || undefined;
  } while (marker);
}
