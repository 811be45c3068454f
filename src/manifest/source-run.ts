import type { BlobServiceClient } from "@azure/storage-blob";
import { NewerLedger, damagedAsMissing, readVersioned } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readListingNow } from "../ledger/listing.ts";
import { RUN_RECORD } from "../ledger/names.ts";
import { PartProblem } from "../ledger/part-kind.ts";
import { WHOLE } from "../ledger/part-record.ts";
import { runRecord, type RunRecord, type RunStatus } from "../ledger/run-record.ts";
import { layoutIn, type Layout } from "../model/names.ts";

/** The backup that is read: where its blobs are, and what it covered. */
export interface SourceRun {
  id: string;
  root: string;
  container: string;
  prefix: string;
  layout: Layout;
  include: string[];
  exclude: string[];
  /** undefined when the summary is damaged. */
  status: RunStatus | undefined;
}

/** The run cannot be read; the message says why. */
export class NoSuchRun extends PartProblem {}

/**
 * What a run's record says of it. If the summary is damaged, the listing of the whole tree stands in for it.
 * @throws NoSuchRun
 */
export async function readSource(service: BlobServiceClient, id: string): Promise<SourceRun> {
  const ledger = new Ledger(service, id);
  const record = await readSummary(ledger).catch(ofUnreadable);
  if (record) assertReadable(record, id);
  const listing = await readListingNow(ledger, WHOLE).catch(ofUnreadable);
  const known = record ?? listing?.request;
  if (!known) {
    throw new NoSuchRun(
      `There is no run ${id} (a prune may have forgotten it), or its record cannot be read.`,
    );
  }
  const { root, container, prefix } = known;
  const { include = [], exclude = [] } = listing?.request ?? {};
  const layout = layoutIn({ layout: record?.layout ?? listing?.layout });
  return { id, root, container, prefix, layout, include, exclude, status: record?.status };
}

/**
 * Makes sure that a run can still be read. Call it once the reader's own record exists: a prune first marks what it forgets
 * and then looks for readers, so one of the two sees the other.
 * @throws NoSuchRun
 */
export async function assertThere(service: BlobServiceClient, { id }: SourceRun): Promise<void> {
  const record = await readSummary(new Ledger(service, id)).catch(ofUnreadable);
  if (record) assertReadable(record, id);
  else await readSource(service, id);
}

/** @throws NoSuchRun */
function assertReadable({ kind = "backup", forgotten }: RunRecord, id: string): void {
  if (kind !== "backup") throw new NoSuchRun(`The run ${id} is a ${kind}, not a backup.`);
  if (forgotten !== undefined) throw new NoSuchRun(`The run ${id} was forgotten by the prune ${forgotten}.`);
}

/** @throws NewerLedger, DamagedRecord */
export async function readSummary(ledger: Ledger): Promise<RunRecord | undefined> {
  const text = await ledger.read(RUN_RECORD);
  return text === undefined ? undefined : readVersioned<RunRecord>(text, runRecord, ledger.runId, RUN_RECORD);
}

/** A damaged record counts as none; one that this app is too old for cannot be read; any other error is thrown on. */
function ofUnreadable(error: unknown): undefined {
  if (error instanceof NewerLedger) throw new NoSuchRun(error.message);
  return damagedAsMissing(error);
}
