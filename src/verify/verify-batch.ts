import type { BlobServiceClient } from "@azure/storage-blob";
import { awaitingHandles } from "../files/errors.ts";
import { openBatch, type BatchRef, type LargeRef } from "../ledger/part-record.ts";
import { settleBatch } from "../ledger/settle-batch.ts";
import { settleSpan, type Position, type Step } from "../ledger/settle-steps.ts";
import { plannedItem, type PlannedItem } from "../manifest/plan-record.ts";
import { failed, type Outcome, type Tally } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { classify, describe } from "../storage/errors.ts";
import { Corrupt, Lost, type Reached, type Read, type Unreadable } from "../store/fetching.ts";
import { openStore } from "../store/open-store.ts";
import type { Place } from "../store/store.ts";
import { verified } from "./plan-verify.ts";

/** Times to read a content whose hash is wrong. */
const TRIES = 3;

/** How far a large file is read. */
type Reading = Position & Reached;

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
function unread(item: PlannedItem, error: unknown): Outcome {
  if (error instanceof Lost) return failed(item, error.message);
  if (classify(error) !== "other") throw error;
  return failed(item, `it could not be read: ${describe(error)}`);
}

/** Reads and hashes a large file for a bounded time, from where the last span stopped; at the end compares the hash. */
export async function verifyLargeFile(
  ref: LargeRef & Place & { progress?: Reading },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Step<Reading>> {
  const { attempt, ...from } = ref.progress ?? { attempt: 1, position: 0 };
  const store = openStore(ref, service, settings);
  return await settleSpan<PlannedItem, Reading>(ref, service, plannedItem, async (item) => {
    const until = performance.now() + settings.listMs;
    try {
      const reached = await awaitingHandles(() => store.readSpan(item, from, until, budget, async () => {}));
      return reached ? { attempt, ...reached } : { outcomes: [verified(item)] };
    } catch (error) {
      if (error instanceof Corrupt && attempt < TRIES) return { attempt: attempt + 1, position: 0 };
      if (error instanceof Lost) await store.avoid([{ item, error }]);
      return { outcomes: [unread(item, error)] };
    }
  });
}
