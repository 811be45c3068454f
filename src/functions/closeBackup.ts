import * as df from "durable-functions";
import { failBatch } from "../backup/copy-batch.ts";
import type { Counts, Tally } from "../backup/outcome.ts";
import { releaseDestination } from "../ledger/destination-claim.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { BatchRef } from "../ledger/listing.ts";
import { closeRun, type RunStatus } from "../ledger/run-record.ts";
import { services } from "../services.ts";

export interface End {
  run: string;
  status: RunStatus;
  counts: Counts;
  message?: string;
}

/** Records how a run ended, and lets the next run of the destination begin. */
df.app.activity("closeBackup", {
  handler: async ({ run, status, counts, message }: End): Promise<void> => {
    const record = await closeRun(new Ledger(services.storage, run), {
      status,
      counts,
      ...(message === undefined ? {} : { message }),
    });
    if (record) await releaseDestination(services.storage, record);
  },
});

/** Records the files of a batch that could not be tried, however often, as failed. */
df.app.activity("failBatch", {
  handler: async ({ batch, reason }: { batch: BatchRef; reason: string }): Promise<Tally> =>
    await failBatch(batch, reason, services.storage),
});
