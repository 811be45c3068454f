import * as df from "durable-functions";
import type { Tally } from "../model/outcome.ts";
import { decidePrune } from "../prune/decide-prune.ts";
import { lanesOfLedgers } from "../prune/delete-ledgers.ts";
import { lanesOfNeeds } from "../prune/needs.ts";
import type { PruneRequest } from "../prune/request.ts";
import { services } from "../services.ts";

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

/** Decides which runs are forgotten, takes the lock and marks them. */
df.app.activity("decidePrune", {
  handler: async (input: { run: string; request: PruneRequest }): Promise<PrunePlan> => {
    const { decision, sha256, found } = await decidePrune(
      { ...input, app: services.settings.app },
      services.storage,
    );
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
  },
});
