import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { listingOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import type { PlanInput } from "../manifest/plan.ts";
import { previewRestore } from "../restore/preview/preview-restore.ts";
import type { RestoreRequest } from "../restore/request.ts";
import { services } from "../services.ts";
import { plannedPart, type PlannedPart } from "../restore/planned-part.ts";

/** Plans a dry run, or a part of it, into the ledger. */
df.app.activity("previewRestore", {
  handler: async (input: PlanInput<RestoreRequest>, context: InvocationContext): Promise<PlannedPart> => {
    const { run, part } = input;
    const plan = await previewRestore(input, services.storage, services.settings);
    await logTally(context, "part.planned", { run, part }, plan.found, listingOutcomes(part));
    return plannedPart(plan);
  },
});
