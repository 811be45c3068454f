import type { BlobServiceClient } from "@azure/storage-blob";
import type { LargeRef } from "../ledger/parts.ts";
import { settleSpan, type Position, type Step } from "../ledger/settle-span.ts";
import { plannedItem, type PlannedItem } from "../manifest/planned-item.ts";
import type { Source } from "../model/source.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { digestOf, resumeMd5, stateOf } from "../storage/resumable-md5.ts";
import { openStore } from "../store/open-store.ts";
import { assertIntact, Corrupt } from "../store/store.ts";
import { verified } from "./plan-verify.ts";
import { TRIES, unread } from "./verify-batch.ts";
import type { VerifyScope } from "./verify-scope.ts";

/** How far a large file is read. */
export interface Reading extends Position {
  /** Where the content is now, when that is not where the plan found it. */
  source?: Source;
}

/** Reads on in a large file and hashes what it reads, for a bounded time; at the end compares the hash. */
export async function verifyLargeFile(
  ref: LargeRef & VerifyScope & { progress?: Reading },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Step<Reading>> {
  const store = openStore(ref, service, settings);
  return await settleSpan<PlannedItem, Reading>(ref, service, plannedItem, async (planned) => {
    const { attempt, position: from, state, source = planned.source } = ref.progress ?? START;
    const item = { ...planned, source };
    try {
      const hash = await resumeMd5(state);
      const reached = await store.fetchFrom(item, budget, { from, ms: settings.listMs }, async (bytes) => {
        hash.update(bytes);
      });
      if (reached.position < item.size) return { attempt, ...reached, state: stateOf(hash) };
      assertIntact(item, digestOf(hash));
      return { outcomes: [verified(item)] };
    } catch (error) {
      if (error instanceof Corrupt && attempt < TRIES) return { attempt: attempt + 1, position: 0, source };
      return { outcomes: [unread(item, error)] };
    }
  });
}

const START: Reading = { attempt: 1, position: 0 };
