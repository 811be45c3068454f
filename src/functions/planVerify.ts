import * as df from "durable-functions";
import type { PlanInput } from "../restore/plan-restore.ts";
import { services } from "../services.ts";
import { planVerify } from "../verify/plan-verify.ts";
import type { VerifyRequest } from "../verify/request.ts";
import { plannedPart, type PlannedPart } from "./planRestore.ts";

/** Verifies a run, or a part of it, as far as lists of blobs go, and plans what is to be read back. */
df.app.activity("planVerify", {
  handler: async (input: PlanInput<VerifyRequest>): Promise<PlannedPart> =>
    plannedPart(input, await planVerify(input, services.storage, services.settings)),
});
