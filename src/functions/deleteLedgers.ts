import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { logTally } from "../telemetry/log-tally.ts";
import { deleteLedgers } from "../prune/delete-ledgers.ts";
import { workOn, type Slice, type SliceResult } from "../prune/step.ts";
import { services } from "../services.ts";

/** Deletes the ledger of a run that is forgotten. */
df.app.activity("deleteLedgers", {
  handler: async (slice: Slice, context: InvocationContext): Promise<SliceResult> => {
    const result = await workOn(slice, deleteLedgers, services.storage, services.budget);
    const { run, lane, slice: number } = slice;
    await logTally(context, "ledgers.deleted", { run, lane, slice: number }, result.tally);
    return result;
  },
});
