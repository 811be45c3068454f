import { createHash } from "node:crypto";
import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import type { Budget } from "../storage/budget.ts";
import type { Settings } from "../settings.ts";
import { GetBlobRequests } from "../storage/get-blob-request.ts";
import type { RestoreRequest } from "./request.ts";
import type { RestoreScope } from "./restore-scope.ts";

/** What restoring needs to know and to use. */
export interface RestoreContext {
  realTo: string;
  container: ContainerClient;
  /** Fetches content from the container. */
  requests: GetBlobRequests;
  prefix: string;
  overwrite: RestoreRequest["overwrite"];
  /** Names the temporary files of this batch; see temporaryName. */
  mark: string;
  budget: Budget;
  fileTimeoutMs: number;
  /** See wantedMode. */
  setuid: boolean;
}

/** What an activity restores with. */
export interface RestoreMeans {
  service: BlobServiceClient;
  settings: Settings;
  budget: Budget;
}

/**
 * What files are restored with.
 * @param work what of the run is restored, the same at each delivery: temporary files are named by it
 */
export function restoreContext(
  { realTo, container: name, prefix, overwrite }: RestoreScope,
  work: string,
  { service, settings, budget }: RestoreMeans,
): RestoreContext {
  const container = service.getContainerClient(name);
  return {
    realTo,
    container,
    requests: new GetBlobRequests(container, settings.behindProxy),
    prefix,
    overwrite,
    mark: createHash("sha256").update(work).digest("hex").slice(0, 12),
    budget,
    fileTimeoutMs: settings.fileTimeoutMs,
    setuid: settings.restoreSetuid,
  };
}
