import type { BlobServiceClient } from "@azure/storage-blob";
import { blobName } from "../model/blob-name.ts";
import type { Budget } from "../storage/budget.ts";
import { failed, type Outcome, type Tally } from "../model/outcome.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { forEachItem, settleBatch } from "../ledger/settle-batch.ts";
import { download } from "../store/download.ts";
import { findContents } from "../store/find-content.ts";
import type { Source } from "../model/source.ts";
import { readBatch } from "../manifest/plan.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import type { Settings } from "../settings.ts";
import { classify, describe } from "../storage/errors.ts";
import { GetBlobRequests } from "../storage/get-blob-request.ts";
import { verified } from "./plan-verify.ts";
import type { VerifyScope } from "./verify-scope.ts";

/** Times content is read whose blob somebody writes meanwhile, or that was not what it should be. */
export const TRIES = 3;

/** Reads the content of one batch back and compares its hash; see settleBatch. */
export async function verifyBatch(
  ref: BatchRef & VerifyScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger) => {
    const items = await readBatch(ledger, ref.lines);
    const requests = new GetBlobRequests(service.getContainerClient(ref.container), settings.behindProxy);
    return {
      outcomes: await forEachItem(items, budget, (item) => readBack(item, ref.prefix, requests, budget)),
    };
  });
}

async function readBack(
  item: PlannedItem,
  prefix: string,
  requests: GetBlobRequests,
  budget: Budget,
): Promise<Outcome> {
  const name = blobName(item.path, prefix);
  let { source } = item;
  for (let tries = 1; ; tries++) {
    try {
      const md5 = await download({ requests, name, source }, budget, async () => {});
      if (md5 === item.md5) return verified(item);
      if (tries === TRIES) return corrupt(item, md5);
    } catch (error) {
      const next = await lookAgain(error, tries === TRIES, item, prefix, requests);
      if ("outcome" in next) return next;
      source = next.source;
    }
  }
}

/**
 * Where to read content after a failure, or what to say of the file.
 * @param last whether there is no further try
 * @throws the error, when it may pass
 */
export async function lookAgain(
  error: unknown,
  last: boolean,
  item: PlannedItem,
  prefix: string,
  requests: GetBlobRequests,
): Promise<Outcome | { source: Source }> {
  const failure = classify(error);
  if (failure === "other") return failed(item, `it could not be read: ${describe(error)}`);
  if (failure === "held" || failure === "invalid") return failed(item, describe(error));
  if (failure !== "conflict" && failure !== "missing") throw error;
  if (last) return failed(item, describe(error));
  // A backup has written over the blob since the plan was made: its old content has become a snapshot.
  const found = (await findContents(requests, prefix, [item])).get(item);
  if (!found || "lost" in found) return failed(item, found?.lost ?? "its blob is missing");
  return found;
}

/** A file that was read and does not hold what the run recorded. */
export function corrupt(item: PlannedItem, md5: string): Outcome {
  return failed(item, `corrupt: its content has the MD5 ${md5}, the run recorded ${item.md5}`);
}
