import * as df from "durable-functions";
import { giveUpRestore } from "../restore/large-file/begin-and-end.ts";
import type { LargeRef } from "../restore/plan.ts";
import { services } from "../services.ts";

/** Records that a large file could not be restored. */
df.app.activity("failLargeRestore", {
  handler: async (ref: LargeRef & { reason: string }) =>
    await giveUpRestore(ref, services.storage, services.settings, services.budget),
});
