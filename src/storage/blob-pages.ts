import type { BlobItem, ContainerClient, ContainerListBlobsOptions } from "@azure/storage-blob";
import { classify } from "./errors.ts";
import {
  PAGE_BYTES,
  type ListBlobsRequests,
  type ListedPage,
  type PageRequest,
} from "./list-blobs-request.ts";
import { retrying, withRetries } from "./retries.ts";

/** Some blobs of a container, ordered by name. */
export interface BlobPage {
  blobs: BlobItem[];
  /** The marker that returns this page again; undefined for the first. */
  marker: string | undefined;
  /** The marker of the next page; undefined if this is the last. */
  next: string | undefined;
}

/** The blobs of a container, one list call for each page of up to 5,000. None if there is no container. */
export async function* blobPages(
  container: ContainerClient,
  options: ContainerListBlobsOptions,
  { from, size = 5000 }: { from?: string | undefined; size?: number } = {},
): AsyncGenerator<BlobPage> {
  let next = from;
  do {
    const marker = next;
    let page;
    try {
      page = await withRetries((abortSignal) =>
        container
          .listBlobsFlat({ ...options, abortSignal })
          .byPage({ maxPageSize: size, ...(marker ? { continuationToken: marker } : {}) })
          .next(),
      );
    } catch (error) {
      if (classify(error) === "missing") return;
      throw error;
    }
    if (page.done) return;
    next = page.value.continuationToken || undefined;
    yield { blobs: page.value.segment.blobItems, marker, next };
  } while (next);
}

/** A page of a folder's blobs by a direct request; undefined if there is no container. */
export async function listedPage(
  requests: ListBlobsRequests,
  request: PageRequest,
): Promise<ListedPage | undefined> {
  try {
    return await retrying((timeout) => requests.page(request, timeout), PAGE_BYTES);
  } catch (error) {
    if (classify(error) === "missing") return undefined;
    throw error;
  }
}

/**
 * All of them, with snapshots and versions. Whether the account keeps versions now is irrelevant: those it kept stay when
 * versioning is turned off.
 */
export async function* historyPages(
  container: ContainerClient,
  options: ContainerListBlobsOptions,
  start: { from?: string | undefined; size?: number } = {},
): AsyncGenerator<BlobPage> {
  const withSnapshots = { ...options, includeSnapshots: true };
  let any = false;
  try {
    for await (const page of blobPages(container, { ...withSnapshots, includeVersions: true }, start)) {
      any = true;
      yield page;
    }
  } catch (error) {
    const failure = classify(error);
    if (any || (failure !== "invalid" && failure !== "held")) throw error;
    // An account that cannot keep versions, such as one with a hierarchical namespace, rejects the option.
    yield* blobPages(container, withSnapshots, start);
  }
}
