import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../storage/budget.ts";
import { awaitingHandles } from "../files/handles.ts";
import { failed, type Outcome, type Tally } from "../model/outcome.ts";
import { openBatch, type BatchRef } from "../ledger/parts.ts";
import { settleBatch } from "../ledger/settle-batch.ts";
import { openStore } from "../store/open-store.ts";
import { Corrupt, Lost, type Read } from "../store/store.ts";
import { findContents } from "../store/files/find-content.ts";
import type { Source } from "../model/source.ts";
import { plannedItem, type PlannedItem } from "../manifest/planned-item.ts";
import type { Settings } from "../settings.ts";
import { classify, describe } from "../storage/errors.ts";
import type { GetBlobRequests } from "../storage/get-blob-request.ts";
import { verified } from "./plan-verify.ts";
import type { VerifyScope } from "./verify-scope.ts";

/** Times content is read that is not what it should be. */
export const TRIES = 3;

/** Reads the content of one batch back and compares its hash; see settleBatch. */
export async function verifyBatch(
  ref: BatchRef & VerifyScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger) => {
    const items = await openBatch<PlannedItem>(ledger, ref, plannedItem);
    const store = openStore(ref, service, settings);
    return { outcomes: await store.fetch(items, budget, readBack) };
  });
}

async function readBack(item: PlannedItem, read: Read): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    try {
      await awaitingHandles(() => read(async () => {}));
      return verified(item);
    } catch (error) {
      if (error instanceof Corrupt && tries < TRIES) continue;
      if (error instanceof Lost) return failed(item, error.message);
      if (classify(error) !== "other") throw error;
      return failed(item, `it could not be read: ${describe(error)}`);
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
