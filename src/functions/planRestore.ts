import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { planRestore } from "../restore/plan-restore.ts";
import { plannedPart, type PlannedPart } from "../restore/planned-part.ts";
import type { PlanInput } from "../manifest/plan.ts";
import type { RestoreRequest } from "../restore/request.ts";
import { listingOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

/** Plans a restore, or a part of it, into the ledger. */
df.app.activity("planRestore", {
  handler: async (input: PlanInput<RestoreRequest>, context: InvocationContext): Promise<PlannedPart> => {
    const { run, part } = input;
    const plan = await planRestore(input, services.storage, services.settings);
    await logTally(context, "part.planned", { run, part }, plan.found, listingOutcomes(part));
    return plannedPart(plan);
  },
});
