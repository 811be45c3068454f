import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { partialNote } from "../restore/partial.ts";
import { planRestore, type PlanInput } from "../restore/plan-restore.ts";
import { LANES, type Plan } from "../restore/plan.ts";
import type { RestoreRequest } from "../restore/request.ts";
import type { Tally } from "../backup/outcome.ts";
import type { BatchRef, PartRef } from "../ledger/listing.ts";
import { listingOutcomes } from "../ledger/outcomes.ts";
import { logTally } from "../logging/log-tally.ts";
import { services } from "../services.ts";

/** What an orchestrator needs of a plan: names of batches and parts. The lists themselves are in the ledger. */
export interface PlannedPart {
  /** The run that is restored or verified. */
  of: string;
  found: Tally;
  batches: BatchRef[];
  /** Orchestrations that share the large files. */
  large: { run: string; part: string; large: number; step: number }[];
  rest: PartRef[];
  /** Files and bytes in the batches. */
  files: number;
  bytes: number;
  problem?: string;
}

/** A plan as an orchestrator is given it. */
export function plannedPart({ run, part }: PartRef, plan: Plan<unknown>): PlannedPart {
  const note = partialNote(plan.source);
  return {
    of: plan.source.id,
    found: { ...plan.found, ...(note === undefined ? {} : { note }) },
    batches: plan.batches.map((_batch, batch) => ({ run, part, batch })),
    large: lanes(plan.large?.length ?? 0).map((large, _index, { length }) => ({
      run,
      part,
      large,
      step: length,
    })),
    rest: plan.rest.map((_range, number) => ({ run, part: `${part}.${number}` })),
    ...plan.toDo,
    ...(plan.problem === undefined ? {} : { problem: plan.problem }),
  };
}

function lanes(files: number): number[] {
  return Array.from({ length: Math.min(LANES, files) }, (_none, lane) => lane);
}

/** Plans a restore, or a part of it, into the ledger. */
df.app.activity("planRestore", {
  handler: async (input: PlanInput<RestoreRequest>, context: InvocationContext): Promise<PlannedPart> => {
    const { run, part } = input;
    const plan = await planRestore(input, services.storage, services.settings);
    await logTally(context, "part.planned", { run, part }, plan.found, listingOutcomes(part));
    return plannedPart(input, plan);
  },
});
