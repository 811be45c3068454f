import * as df from "durable-functions";
import type { RestoreAttemptRef } from "../restore/large-file/attempt.ts";
import { beginRestore } from "../restore/large-file/begin-and-end.ts";
import { services } from "../services.ts";

/** Decides how an attempt restores a large file, or says what became of the file. */
df.app.activity("beginLargeRestore", {
  handler: async (ref: RestoreAttemptRef) =>
    await beginRestore(ref, services.storage, services.settings, services.budget),
});
