import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../storage/budget.ts";
import { awaitingHandles } from "../files/handles.ts";
import { failed, type Outcome, type Tally } from "../model/outcome.ts";
import { openBatch, type BatchRef } from "../ledger/parts.ts";
import { settleBatch } from "../ledger/settle-batch.ts";
import { openStore } from "../store/open-store.ts";
import { Corrupt, Lost, type Read, type Unreadable } from "../store/fetching.ts";
import { plannedItem, type PlannedItem } from "../manifest/planned-item.ts";
import type { Settings } from "../settings.ts";
import { classify, describe } from "../storage/errors.ts";
import { verified } from "./plan-verify.ts";
import type { Place } from "../store/store.ts";

/** Times to read a content whose hash is wrong. */
export const TRIES = 3;

/** Reads the contents of one batch back and compares their hashes; see settleBatch. */
export async function verifyBatch(
  ref: BatchRef & Place,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger) => {
    const items = await openBatch<PlannedItem>(ledger, ref, plannedItem);
    const store = openStore(ref, service, settings);
    const lost: Unreadable[] = [];
    const outcomes = await store.fetch(items, budget, (item, read) => readBack(item, read, lost));
    await store.avoid(lost);
    return { outcomes };
  });
}

async function readBack(item: PlannedItem, read: Read, lost: Unreadable[]): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    try {
      await awaitingHandles(() => read(async () => {}));
      return verified(item);
    } catch (error) {
      if (error instanceof Corrupt && tries < TRIES) continue;
      if (error instanceof Lost) lost.push({ item, error });
      return unread(item, error);
    }
  }
}

/** The outcome for an item that could not be read. @throws transient storage errors */
export function unread(item: PlannedItem, error: unknown): Outcome {
  if (error instanceof Lost) return failed(item, error.message);
  if (classify(error) !== "other") throw error;
  return failed(item, `it could not be read: ${describe(error)}`);
}
