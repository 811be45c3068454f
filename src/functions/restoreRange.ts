import * as df from "durable-functions";
import type { RestoreAttemptRef } from "../restore/large-file/attempt.ts";
import { restoreRange } from "../restore/large-file/restore-range.ts";
import { services } from "../services.ts";

/** Writes one range of a large file. */
df.app.activity("restoreRange", {
  handler: async (ref: RestoreAttemptRef & { range: number }) =>
    await restoreRange(ref, services.storage, services.settings, services.budget),
});
