import { decidePrune } from "../prune/decide-prune.ts";
import { deleteContents, deletePieces } from "../prune/delete-contents.ts";
import { deleteLedgers } from "../prune/delete-ledgers.ts";
import { listContents } from "../prune/list-contents.ts";
import { gatherNeeds } from "../prune/needs.ts";
import { prunePlan } from "../prune/prune-plan.ts";
import type { PruneRequest } from "../prune/request.ts";
import { runSlice, type Slice } from "../prune/step.ts";
import { activity } from "./activity.ts";

activity("decidePrune", async (input: { run: string; request: PruneRequest }, storage, { app }) =>
  prunePlan(await decidePrune({ ...input, app }, storage)),
);
step("gatherNeeds", gatherNeeds);
step("listContents", listContents);
step("deleteContents", deleteContents, { event: "contents.deleted" });
step("deletePieces", deletePieces, { event: "contents.deleted" });
step("deleteLedgers", deleteLedgers, { event: "ledgers.deleted" });

/** Registers work that is done slice by slice. */
function step(name: string, work: Parameters<typeof runSlice>[1], options: { event?: string } = {}): void {
  activity(
    name,
    (slice: Slice, storage, settings, budget) => runSlice(slice, work, storage, settings, budget),
    options,
  );
}
