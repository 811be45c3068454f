import type { BlobServiceClient } from "@azure/storage-blob";
import { awaitingHandles } from "../files/handles.ts";
import type { LargeRef } from "../ledger/parts.ts";
import { settleSpan, type Position, type Step } from "../ledger/settle-span.ts";
import { plannedItem, type PlannedItem } from "../manifest/planned-item.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { openStore } from "../store/open-store.ts";
import { Corrupt, Lost, type Reached } from "../store/fetching.ts";
import { verified } from "./plan-verify.ts";
import { TRIES, unread } from "./verify-batch.ts";
import type { Place } from "../store/store.ts";

/** How far a large file is read. */
export type Reading = Position & Reached;

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
