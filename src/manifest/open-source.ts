import type { Ledger } from "../ledger/ledger.ts";
import { openRun } from "../ledger/runs.ts";
import { assertThere, findRun, findStanding, type Selector, type SourceRun } from "./source-run.ts";

/**
 * Opens the record of a run that is about another one: the one that is asked for, or that this run's record names already.
 * @param what `root` is the directory that the run is about; the source's own where there is none
 * @throws NoSuchRun, ChangedRecord
 */
export async function openSource(
  ledger: Ledger,
  request: Selector,
  { root, ...what }: { root?: string; kind: "restore" | "verify"; app: string; dryRun?: true },
): Promise<SourceRun> {
  const { service } = ledger;
  let source = await findRun(service, request);
  const { container, prefix } = source;
  const run = { root: root ?? source.root, container, prefix, mode: "full" as const };
  const { of = "" } = await openRun(ledger, run, { ...what, of: source.id });
  // Of a time: since the record was opened another run may have ended, but that one is kept from prunes.
  if (of !== source.id) source = await findStanding(service, request, of, ledger);
  await assertThere(service, source);
  return source;
}
