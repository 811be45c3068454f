import * as df from "durable-functions";
import { deleteLedgers } from "../retention/delete-ledgers.ts";
import { workOn, type Slice, type SliceResult } from "../retention/step.ts";
import { services } from "../services.ts";

/** Deletes the ledger of a run that is forgotten. */
df.app.activity("deleteLedgers", {
  handler: async (slice: Slice): Promise<SliceResult> =>
    await workOn(slice, deleteLedgers, services.storage, services.budget),
});
