import * as df from "durable-functions";
import type { RestoreAttemptRef } from "../restore/large-file/attempt.ts";
import { hashRestored } from "../restore/large-file/restore-range.ts";
import { services } from "../services.ts";

/** Goes on with the hash of what was written. */
df.app.activity("hashRestored", {
  handler: async (ref: RestoreAttemptRef & { from: number; to: number; state?: string }) =>
    await hashRestored(ref, services.storage, services.settings, services.budget),
});
