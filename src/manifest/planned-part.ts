import type { Tally } from "../model/outcome.ts";
import type { Lines } from "../ledger/ledger.ts";
import { linesOf } from "../ledger/listing.ts";
import { partialNote } from "./partial.ts";
import type { Plan } from "./plan.ts";

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
    batches: batches.map(linesOf),
    large,
    rest,
    ...toDo,
    ...(problem === undefined ? {} : { problem }),
  };
}
