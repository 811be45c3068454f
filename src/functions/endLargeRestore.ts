import * as df from "durable-functions";
import type { RestoreAttemptRef } from "../restore/large-file/attempt.ts";
import { endRestore } from "../restore/large-file/begin-and-end.ts";
import { services } from "../services.ts";

/** Puts a large file into its place, and records the outcome. */
df.app.activity("endLargeRestore", {
  handler: async (ref: RestoreAttemptRef & { state: string }) =>
    await endRestore(ref, services.storage, services.settings, services.budget),
});
