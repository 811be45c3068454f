import { isGoodRun } from "../../ledger/good-run.ts";
import { indexedRuns } from "../../ledger/run-index.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { isSameRoot } from "../../model/root-path.ts";

/** How many runs that did not end well to reuse contents of: more would cost more to read than they save. */
const MOST_LATER = 4;

/**
 * The newest good run of the same root in a destination, and later ones that did not end well. Their filters do not matter: a
 * name that none of them has is new, and what they recorded is checked against the packs that are there.
 */
export async function findBase(
  { service, runId }: Ledger,
  { container, prefix, root }: { container: string; prefix: string; root: string },
): Promise<{ base?: string; later: string[] }> {
  const later: string[] = [];
  for await (const { id, summary } of indexedRuns(service)) {
    if (id === runId || !summary || (summary.kind ?? "backup") !== "backup") continue;
    if (summary.container !== container || summary.prefix !== prefix || !isSameRoot(summary.root, root))
      continue;
    if (summary.forgotten !== undefined || summary.status === "skipped") continue;
    if (isGoodRun(summary)) return { base: id, later };
    if (later.length < MOST_LATER) later.push(id);
  }
  return { later };
}
