import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import type { PlanInput } from "../manifest/plan.ts";
import { listingOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";
import { planVerify } from "../verify/plan-verify.ts";
import type { VerifyRequest } from "../verify/request.ts";
import { plannedPart, type PlannedPart } from "../restore/planned-part.ts";

/** Verifies a run, or a part of it, as far as lists of blobs go, and plans what is to be read back. */
df.app.activity("planVerify", {
  handler: async (input: PlanInput<VerifyRequest>, context: InvocationContext): Promise<PlannedPart> => {
    const { run, part } = input;
    const plan = await planVerify(input, services.storage, services.settings);
    await logTally(context, "part.planned", { run, part }, plan.found, listingOutcomes(part));
    return plannedPart(plan);
  },
});
