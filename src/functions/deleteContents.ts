import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { logTally } from "../telemetry/log-tally.ts";
import { deleteContents } from "../prune/delete-contents.ts";
import { workOn, type Slice, type SliceResult } from "../prune/step.ts";
import { services } from "../services.ts";

/** Deletes some of what no run that stays needs. */
df.app.activity("deleteContents", {
  handler: async (slice: Slice, context: InvocationContext): Promise<SliceResult> => {
    const result = await workOn(slice, deleteContents, services.storage, services.budget);
    const { run, lane, slice: number } = slice;
    await logTally(context, "contents.deleted", { run, lane, slice: number }, result.tally);
    return result;
  },
});
