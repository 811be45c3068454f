import type { Ledger } from "../ledger/ledger.ts";
import { joinRun, type Opening } from "../ledger/runs.ts";
import { findRun, findStanding, type Selector } from "./find-run.ts";
import { assertThere, type SourceRun } from "./source-run.ts";

/** What a restore or a verification is, beside its source. The root is its source's own unless it says another. */
type What = Pick<Opening, "kind" | "dryRun" | "app"> & { root?: string };

/** What the record says of a run that reads another. */
export function openingOf(source: SourceRun, what: What): Opening {
  const { id, root, container, prefix, layout } = source;
  return { root, ...what, of: id, container, prefix, layout, mode: "full" };
}

/**
 * Opens the record of a run that reads another: the one that is requested, or that this run's record already names.
 * @throws NoSuchRun, ChangedRecord
 */
export async function openSource(ledger: Ledger, request: Selector, what: What): Promise<SourceRun> {
  const { service } = ledger;
  let source = await findRun(service, request);
  const { of = "" } = await joinRun(ledger, openingOf(source, what));
  // If chosen by time: since the record was opened another run may have ended, but that one is kept from prunes.
  if (of !== source.id) source = await findStanding(service, request, of, ledger);
  await assertThere(service, source);
  return source;
}
