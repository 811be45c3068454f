import * as df from "durable-functions";
import { listContents } from "../prune/list-contents.ts";
import { workOn, type Slice, type SliceResult } from "../prune/step.ts";
import { services } from "../services.ts";

/** Lists some of what the destination holds. */
df.app.activity("listContents", {
  handler: async (slice: Slice): Promise<SliceResult> =>
    await workOn(slice, listContents, services.storage, services.budget),
});
