import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import type { PutBlobRequests } from "../storage/put-blob-request.ts";
import { blobName } from "../model/blob-name.ts";
import type { Budget } from "../storage/budget.ts";
import type { Entry } from "../model/entry.ts";
import type { OldContent } from "../store/files/old-content.ts";

/** What copying needs to know and to use. */
export interface CopyContext {
  runId: string;
  /** As it was asked for. */
  root: string;
  realRoot: string;
  container: ContainerClient;
  /** Sends blobs to the container that are small enough for one request. */
  requests: PutBlobRequests;
  prefix: string;
  oldContent: OldContent;
  budget: Budget;
  fileTimeoutMs: number;
}

/** The blob of an entry. */
export function blobOf(entry: Entry, context: CopyContext): BlockBlobClient {
  return context.container.getBlockBlobClient(blobName(entry.path, context.prefix));
}
