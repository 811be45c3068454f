import type { Layout } from "../model/names.ts";
import type { Tally } from "../model/outcome.ts";
import type { Decision } from "./decision.ts";
import { lanesOfLedgers } from "./delete-ledgers.ts";
import { lanesOfNeeds } from "./needs.ts";

/** What the orchestrator needs to know of a decision: how many lanes each kind of work has. The rest is in the ledger. */
export interface PrunePlan {
  runs: { kept: number; forgotten: number };
  /** The runs that stay, counted as `unchanged`. */
  found: Tally;
  /** The hash by which the following activities recognize the decision. */
  decision: string;
  layout: Layout;
  lanes: Record<"gatherNeeds" | "listContents" | "deleteContents" | "deletePieces" | "deleteLedgers", number>;
  problem?: string;
}

export function prunePlan({
  decision,
  sha256,
  found,
}: {
  decision: Decision;
  sha256: string;
  found: Tally;
}): PrunePlan {
  const { layout, kept, forgotten, manifests, partitions, problem } = decision;
  const any = manifests.length > 0;
  return {
    found,
    decision: sha256,
    layout,
    runs: { kept: kept.length, forgotten: forgotten.length },
    lanes: {
      gatherNeeds: lanesOfNeeds(decision),
      listContents: any ? 1 : 0,
      deleteContents: any ? partitions : 0,
      // A content in files has no pieces.
      deletePieces: any && layout === "packs" ? partitions : 0,
      deleteLedgers: lanesOfLedgers(decision),
    },
    ...(problem === undefined ? {} : { problem }),
  };
}
