import * as df from "durable-functions";
import { deleteContents } from "../retention/delete-contents.ts";
import { workOn, type Slice, type SliceResult } from "../retention/step.ts";
import { services } from "../services.ts";

/** Deletes some of what no run that stays needs. */
df.app.activity("deleteContents", {
  handler: async (slice: Slice): Promise<SliceResult> =>
    await workOn(slice, deleteContents, services.storage, services.budget),
});
