import type { Tally } from "../model/outcome.ts";
import type { Decision } from "./decision.ts";
import { lanesOfLedgers } from "./delete-ledgers.ts";
import { lanesOfNeeds } from "./needs.ts";

/** What the orchestrator needs of a decision: in how many lanes each kind of work is done. The rest is in the ledger. */
export interface PrunePlan {
  /** Runs that stay and that go. */
  runs: { kept: number; forgotten: number };
  /** The runs that stay, as unchanged. */
  found: Tally;
  /** The hash of the decision, by which what follows knows it again. */
  decision: string;
  lanes: { gatherNeeds: number; listContents: number; deleteContents: number; deleteLedgers: number };
  problem?: string;
}

/** A decision as the orchestrator is given it. */
export function prunePlan({
  decision,
  sha256,
  found,
}: {
  decision: Decision;
  sha256: string;
  found: Tally;
}): PrunePlan {
  const { kept, forgotten, manifests, partitions, problem } = decision;
  const any = manifests.length > 0;
  return {
    found,
    decision: sha256,
    runs: { kept: kept.length, forgotten: forgotten.length },
    lanes: {
      gatherNeeds: lanesOfNeeds(decision),
      listContents: any ? 1 : 0,
      deleteContents: any ? partitions : 0,
      deleteLedgers: lanesOfLedgers(decision),
    },
    ...(problem === undefined ? {} : { problem }),
  };
}
