import * as df from "durable-functions";
import { deleteExtra, type Slice, type SliceRef } from "../restore/delete-extra.ts";
import { services } from "../services.ts";

/** Removes, for a bounded time, what the directory has and the run has not. */
df.app.activity("deleteExtra", {
  handler: async (slice: SliceRef): Promise<Slice> =>
    await deleteExtra(slice, services.storage, services.settings),
});
