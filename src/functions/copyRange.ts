import * as df from "durable-functions";
import { copyRange } from "../backup/large-file/copy-range.ts";
import type { AttemptRef } from "../backup/large-file/plan.ts";
import { services } from "../services.ts";

/** Sends the blocks of one range of a large file. */
df.app.activity("copyRange", {
  handler: async (ref: AttemptRef & { range: number }) =>
    await copyRange(ref, services.storage, services.settings, services.budget),
});
