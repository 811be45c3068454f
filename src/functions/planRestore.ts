import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { partialNote } from "../restore/partial.ts";
import { planRestore } from "../restore/plan-restore.ts";
import type { Plan, PlanInput } from "../restore/plan.ts";
import type { RestoreRequest } from "../restore/request.ts";
import type { Tally } from "../backup/outcome.ts";
import type { Lines } from "../ledger/ledger.ts";
import { listingOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../logging/log-tally.ts";
import { services } from "../services.ts";

/** What an orchestrator needs of a plan: where the batches and parts are. The lists themselves are in the ledger. */
export interface PlannedPart extends Pick<Plan<unknown>, "source" | "realTo" | "made" | "problem"> {
  found: Tally;
  batches: Lines[];
  /** For each orchestration that restores, or reads back, large files: those that it takes. */
  large: Lines[];
  rest: Lines[];
  /** Files and bytes in the batches. */
  files: number;
  bytes: number;
}

/** A plan as an orchestrator is given it. */
export function plannedPart(plan: Plan<unknown>): PlannedPart {
  const { source, realTo, made, found, batches, large, rest, toDo, problem } = plan;
  const note = partialNote(source);
  return {
    source,
    realTo,
    ...(made === undefined ? {} : { made }),
    found: { ...found, ...(note === undefined ? {} : { note }) },
    batches: batches.map(({ list, offset, length, sha256 }) => ({ list, offset, length, sha256 })),
    large,
    rest,
    ...toDo,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Plans a restore, or a part of it, into the ledger. */
df.app.activity("planRestore", {
  handler: async (input: PlanInput<RestoreRequest>, context: InvocationContext): Promise<PlannedPart> => {
    const { run, part } = input;
    const plan = await planRestore(input, services.storage, services.settings);
    await logTally(context, "part.planned", { run, part }, plan.found, listingOutcomes(part));
    return plannedPart(plan);
  },
});
