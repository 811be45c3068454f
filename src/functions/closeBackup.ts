import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import type { Counts } from "../backup/outcome.ts";
import { releaseDestination } from "../ledger/destination-claim.ts";
import { Ledger } from "../ledger/ledger.ts";
import { closeRun, type RunStatus } from "../ledger/run-record.ts";
import { line } from "../logging/line.ts";
import { endPrune } from "../retention/end-prune.ts";
import { services } from "../services.ts";

export interface End {
  run: string;
  status: RunStatus;
  counts: Counts;
  /** Requests that storage throttled. */
  throttled?: number;
  message?: string;
}

/** Records how a run ended, and lets the next run of the destination begin. @returns whether it has a record */
df.app.activity("closeBackup", {
  handler: async (
    { run, status, counts, throttled, message }: End,
    context: InvocationContext,
  ): Promise<boolean> => {
    const record = await closeRun(new Ledger(services.storage, run), {
      status,
      counts,
      ...(throttled === undefined ? {} : { throttled }),
      ...(message === undefined ? {} : { message }),
    });
    if (record?.kind === "prune") await endPrune(services.storage, record);
    else if (record) await releaseDestination(services.storage, record);
    const { kind = "backup", container, prefix } = record ?? {};
    const ended = line("run.ended", { run, kind, container, prefix, status, ...counts, throttled, message });
    if (status === "completed") context.info(ended);
    else context.error(ended);
    return record !== undefined;
  },
});
