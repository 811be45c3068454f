import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import type { Entry } from "../backup/entry.ts";
import type { Outcome, Tally } from "../backup/outcome.ts";
import { entry, listRange, readVersioned } from "./damaged.ts";
import { Ledger, type ListRange } from "./ledger.ts";
import { listingName, type BatchRef } from "./listing.ts";
import { batchOutcomes, settleOutcomes } from "./outcomes.ts";

/** What a backup's listing and a restore's or verification's plan have in common. */
const fanOut = z.looseObject({ version: z.literal(1), batches: z.array(listRange) });

/** Records every file of a batch as failed: what is left to do when the batch could not be tried, however often. */
export async function failBatch(ref: BatchRef, reason: string, service: BlobServiceClient): Promise<Tally> {
  const ledger = new Ledger(service, ref.run);
  const name = listingName(ref.part);
  const text = await ledger.read(name);
  const batches = text && readVersioned<{ batches: ListRange[] }>(text, fanOut, ref.run, name).batches;
  const batch = batches && batches[ref.batch];
  if (!batch) throw new Error(`The ledger of run ${ref.run} has no batch ${ref.batch} of part ${ref.part}.`);
  const entries = await ledger.readLines<Entry>(batch, entry);
  const outcomes = entries.map(({ path, kind }): Outcome => ({
    path,
    kind,
    outcome: "failed",
    size: 0,
    reason: reason.slice(0, 500),
  }));
  return await settleOutcomes(ledger, batchOutcomes(ref.part, ref.batch), outcomes);
}
