import * as df from "durable-functions";
import { beginAttempt } from "../backup/large-file/begin-and-commit.ts";
import type { AttemptRef } from "../backup/large-file/plan.ts";
import { services } from "../services.ts";

/** Decides how an attempt at a large file copies it, or says what became of the file. */
df.app.activity("beginLargeFile", {
  handler: async (ref: AttemptRef) => await beginAttempt(ref, services.storage, services.settings),
});
