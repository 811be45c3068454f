import type { BlobServiceClient } from "@azure/storage-blob";
import type { Entry } from "../model/entry.ts";
import { failed, type Tally } from "../model/outcome.ts";
import { Ledger } from "./ledger.ts";
import { openBatch, type BatchRef } from "./parts.ts";
import { settleOutcomes } from "./outcomes.ts";
import { batchOutcomes } from "./names.ts";

/** Records every file of a batch as failed, after every try of the batch has failed. */
export async function failBatch(
  { reason, ...ref }: BatchRef & { reason: string },
  service: BlobServiceClient,
): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const entries = await openBatch<Entry>(ledger, ref);
  const outcomes = entries.map((each) => failed(each, reason));
  return await settleOutcomes(ledger, batchOutcomes(ref), outcomes);
}
