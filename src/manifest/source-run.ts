import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { isSameRoot } from "../model/root-path.ts";
import { ChangedRecord, DamagedRecord, NewerLedger, ofDamaged, readVersioned } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readListingNow } from "../ledger/listing.ts";
import { runFolders } from "../ledger/run-folders.ts";
import { RUN_ID } from "../model/run-id.ts";
import { indexedRuns, type RunSummary } from "../ledger/run-index.ts";
import { runRecord, type RunRecord, type RunStatus } from "../ledger/run-record.ts";
import { isSnapshot } from "../ledger/snapshot.ts";
import { RUN_RECORD } from "../ledger/names.ts";
import { PartProblem } from "../ledger/settle-part.ts";

/** The backup that is read: where its blobs are, and what it covered. */
export interface SourceRun {
  id: string;
  root: string;
  container: string;
  prefix: string;
  include: string[];
  exclude: string[];
  /** undefined when the summary is damaged. */
  status: RunStatus | undefined;
}

/** What names a run, or chooses one by time. */
export interface Selector {
  run?: string | undefined;
  at?: string | undefined;
  container?: string | undefined;
  prefix?: string | undefined;
  root?: string | undefined;
}

/** The run cannot be read, for people. */
export class NoSuchRun extends PartProblem {}

/** Summaries read at a time when a run is looked for by time. */
const READS = 16;

/**
 * The run that a request names, by id or by time.
 * @throws NoSuchRun that says what was looked for
 */
export async function findRun(service: BlobServiceClient, request: Selector): Promise<SourceRun> {
  if (request.run !== undefined) return await readSource(service, request.run);
  const { at = "", container = "backups", prefix = "", root } = request;
  const newest = await newestOf(service, (run) => isAskedFor(run, request));
  if (newest) return await readSource(service, newest.id);
  const place = prefix === "" ? container : `${container}/${prefix}`;
  const whose = root === undefined ? "" : ` of ${root}`;
  throw new NoSuchRun(
    `There is no backup${whose} in ${place} that began at or before ${at} and holds anything.`,
  );
}

/** Whether a run is one that a request by time may choose. */
function isAskedFor(
  run: RunSummary,
  { at = "", container = "backups", prefix = "", root }: Omit<Selector, "run">,
): boolean {
  const isOfPlace = run.container === container && run.prefix === prefix;
  const isBackup = (run.kind ?? "backup") === "backup" && (root === undefined || isSameRoot(run.root, root));
  return isOfPlace && isBackup && isSnapshot(run) && Date.parse(run.started) <= Date.parse(at);
}

/**
 * The run that a restore's record names as its source, where that is another than the request finds now.
 * @throws ChangedRecord where the request could not have found it
 */
export async function findStanding(
  service: BlobServiceClient,
  request: Selector,
  of: string,
  { runId }: Ledger,
): Promise<SourceRun> {
  const record =
    request.run !== undefined || !RUN_ID.test(of) ? undefined : await readSummary(new Ledger(service, of));
  if (!record || !isAskedFor(record, request)) throw new ChangedRecord(`${runId}/${RUN_RECORD}`);
  return await readSource(service, record.id);
}

/** The newest of the wanted runs. Of one whose record cannot be read, the index of runs says as much. */
async function newestOf(
  service: BlobServiceClient,
  isWanted: (run: RunSummary) => boolean,
): Promise<RunSummary | undefined> {
  let newest: RunSummary | undefined;
  const consider = (run: RunSummary | undefined): void => {
    if (!run || !isWanted(run)) return;
    if (!newest || Date.parse(run.started) > Date.parse(newest.started)) newest = run;
  };
  const unread = new Set<string>();
  const ofUnread = (id: string, error: unknown): undefined => {
    if (!(error instanceof DamagedRecord) && !(error instanceof NewerLedger)) throw error;
    unread.add(id);
  };
  await pMap(
    runFolders(service),
    async (id) => consider(await readSummary(new Ledger(service, id)).catch((error) => ofUnread(id, error))),
    { concurrency: READS },
  );
  if (unread.size === 0) return newest;
  for await (const { id, summary } of indexedRuns(service)) if (unread.has(id)) consider(summary);
  return newest;
}

/**
 * Assures that a run can still be read. To be called once the reader's own record is there: a prune first marks what it
 * forgets and then looks for readers, so that of the two one sees the other.
 * @throws NoSuchRun
 */
export async function assertThere(service: BlobServiceClient, { id }: SourceRun): Promise<void> {
  const record = await readSummary(new Ledger(service, id)).catch(ofUnreadable);
  if (record) assertReadable(record, id);
  else await readSource(service, id);
}

/**
 * What a run's ledger says of it. A damaged summary is made up for by the listing of the whole tree.
 * @throws NoSuchRun
 */
async function readSource(service: BlobServiceClient, id: string): Promise<SourceRun> {
  const ledger = new Ledger(service, id);
  const record = await readSummary(ledger).catch(ofUnreadable);
  if (record) assertReadable(record, id);
  const listing = await readListingNow(ledger, "0").catch(ofUnreadable);
  const known = record ?? listing?.request;
  if (!known) {
    throw new NoSuchRun(
      `There is no run ${id} (a prune may have forgotten it), or nothing of its ledger can be read.`,
    );
  }
  return {
    id,
    root: known.root,
    container: known.container,
    prefix: known.prefix,
    include: listing?.request.include ?? [],
    exclude: listing?.request.exclude ?? [],
    status: record?.status,
  };
}

/** @throws NoSuchRun */
function assertReadable({ kind = "backup", forgotten }: RunRecord, id: string): void {
  if (kind !== "backup") throw new NoSuchRun(`The run ${id} is a ${kind}, not a backup.`);
  if (forgotten !== undefined) throw new NoSuchRun(`The run ${id} was forgotten by the prune ${forgotten}.`);
}

/** @throws NewerLedger, DamagedRecord */
async function readSummary(ledger: Ledger): Promise<RunRecord | undefined> {
  const text = await ledger.read(RUN_RECORD);
  return text === undefined ? undefined : readVersioned<RunRecord>(text, runRecord, ledger.runId, RUN_RECORD);
}

/** A damaged record counts as none; one that this app is too old for cannot be read; any other error is thrown on. */
function ofUnreadable(error: unknown): undefined {
  if (error instanceof NewerLedger) throw new NoSuchRun(error.message);
  return ofDamaged(error);
}
