import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import type { Keep } from "../ledger/listing.ts";
import type { PutBlobRequests } from "../storage/put-blob-request.ts";
import { withRetries } from "../storage/retries.ts";
import { blobName } from "./blob-name.ts";
import type { Budget } from "./budget.ts";
import type { Entry } from "./entry.ts";

/** What copying needs to know and to use. */
export interface CopyContext {
  runId: string;
  realRoot: string;
  container: ContainerClient;
  /** Sends blobs to the container that are small enough for one request. */
  requests: PutBlobRequests;
  prefix: string;
  keep: Keep;
  /** Skip the upload where the destination holds the same content already. */
  compareContent: boolean;
  budget: Budget;
  fileTimeoutMs: number;
}

/** The blob of an entry. */
export function blobOf(entry: Entry, context: CopyContext): BlockBlobClient {
  return context.container.getBlockBlobClient(blobName(entry.path, context.prefix));
}

/** What keeps the content that is about to be overwritten, where that does not happen by itself. */
export function keepOld(
  blob: () => BlockBlobClient,
  keep: Keep,
): ((etag: string) => Promise<unknown>) | undefined {
  if (keep !== "snapshots") return undefined;
  return (etag: string) =>
    withRetries((abortSignal) => blob().createSnapshot({ abortSignal, conditions: { ifMatch: etag } }));
}
