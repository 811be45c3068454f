import * as df from "durable-functions";
import type { LargeRestoreRef } from "../restore/large-file/attempt.ts";
import { giveUpRestore } from "../restore/large-file/begin-and-end.ts";
import { services } from "../services.ts";

/** Records that a large file could not be restored. */
df.app.activity("failLargeRestore", {
  handler: async (ref: LargeRestoreRef & { reason: string }) =>
    await giveUpRestore(ref, services.storage, services.settings, services.budget),
});
