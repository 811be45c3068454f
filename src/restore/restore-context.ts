import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../backup/budget.ts";
import type { Settings } from "../settings.ts";
import { GetBlobRequests } from "../storage/get-blob-request.ts";
import type { Plan } from "./plan.ts";
import type { RestoreRequest } from "./request.ts";
import type { RestoreContext } from "./restore-file.ts";

/** What an activity restores with. */
export interface RestoreMeans {
  service: BlobServiceClient;
  settings: Settings;
  budget: Budget;
}

/**
 * How the files of a plan are restored.
 * @param work what of the run is restored, the same at each delivery: temporary files are named by it
 */
export function restoreContext(
  { request, source, realTo }: Plan<RestoreRequest>,
  work: string,
  { service, settings, budget }: RestoreMeans,
): RestoreContext {
  const container = service.getContainerClient(source.container);
  return {
    realTo,
    container,
    requests: new GetBlobRequests(container, settings.behindProxy),
    prefix: source.prefix,
    overwrite: request.overwrite,
    delete: request.delete,
    dryRun: request.dryRun,
    mark: createHash("sha256").update(work).digest("hex").slice(0, 12),
    budget,
    fileTimeoutMs: settings.fileTimeoutMs,
  };
}
