import * as df from "durable-functions";
import { gatherNeeds } from "../prune/needs.ts";
import { workOn, type Slice, type SliceResult } from "../prune/step.ts";
import { services } from "../services.ts";

/** Reads a range of the manifests: what the runs need that stay. */
df.app.activity("gatherNeeds", {
  handler: async (slice: Slice): Promise<SliceResult> =>
    await workOn(slice, gatherNeeds, services.storage, services.budget),
});
