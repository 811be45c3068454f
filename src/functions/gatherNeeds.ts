import * as df from "durable-functions";
import { gatherNeeds } from "../retention/needs.ts";
import { workOn, type Slice, type SliceResult } from "../retention/step.ts";
import { services } from "../services.ts";

/** Reads a range of the manifests: what the runs need that stay. */
df.app.activity("gatherNeeds", {
  handler: async (slice: Slice): Promise<SliceResult> =>
    await workOn(slice, gatherNeeds, services.storage, services.budget),
});
