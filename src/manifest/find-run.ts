import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { ChangedRecord, DamagedRecord, NewerLedger } from "../ledger/damaged.ts";
import { isGoodRun } from "../ledger/good-run.ts";
import { Ledger } from "../ledger/ledger.ts";
import { RUN_RECORD } from "../ledger/names.ts";
import { indexedRuns, runFolders, type RunSummary } from "../ledger/run-index.ts";
import { joinRun, type Opening } from "../ledger/runs.ts";
import { RUN_ID } from "../model/names.ts";
import { isSameRoot } from "../model/root-path.ts";
import { assertThere, NoSuchRun, readSource, readSummary, type SourceRun } from "./source-run.ts";

/** Concurrent reads of records. */
const READS = 16;

/** What names a run, or chooses one by time. */
interface Selector {
  run?: string | undefined;
  at?: string | undefined;
  container?: string | undefined;
  prefix?: string | undefined;
  root?: string | undefined;
}

/** What a restore or a verification is, beside its source. The root is its source's own unless it says another. */
type What = Pick<Opening, "kind" | "dryRun" | "app"> & { root?: string };

/**
 * The run that a request names, by id or by time.
 * @throws NoSuchRun that says what was looked for
 */
export async function findRun(service: BlobServiceClient, request: Selector): Promise<SourceRun> {
  if (request.run !== undefined) return await readSource(service, request.run);
  const { at = "", container = "backups", prefix = "", root } = request;
  const newest = await newestAsked(service, request);
  if (newest !== undefined) return await readSource(service, newest);
  const place = prefix === "" ? container : `${container}/${prefix}`;
  const whose = root === undefined ? "" : ` of ${root}`;
  throw new NoSuchRun(
    `There is no backup${whose} in ${place} that began at or before ${at} and holds anything.`,
  );
}

/**
 * The run that a restore's record names as its source, if it is not the one that the request finds now.
 * @throws ChangedRecord if the request could not have found it
 */
async function findStanding(
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

/** Whether a run is one that a request by time may choose. */
function isAskedFor(
  run: RunSummary,
  { at = "", container = "backups", prefix = "", root }: Selector,
): boolean {
  const isOfPlace = run.container === container && run.prefix === prefix;
  const isBackup = (run.kind ?? "backup") === "backup" && (root === undefined || isSameRoot(run.root, root));
  return isOfPlace && isBackup && isGoodRun(run) && Date.parse(run.started) <= Date.parse(at);
}

/** The id of the newest matching run: from the index of runs, or if that has none, from the folders it lacks. */
async function newestAsked(service: BlobServiceClient, request: Selector): Promise<string | undefined> {
  const indexed = new Set<string>();
  for await (const { id, summary } of indexedRuns(service)) {
    indexed.add(id);
    // A run that was in progress when it was last indexed may have ended since.
    if (summary && summary.status !== "running" && !isAskedFor(summary, request)) continue;
    const record = await recordOr(summary, service, id);
    if (record && isAskedFor(record, request)) return id;
  }
  let newest: RunSummary | undefined;
  const consider = async (id: string): Promise<void> => {
    const run = indexed.has(id) ? undefined : await recordOr(undefined, service, id);
    if (!run || !isAskedFor(run, request)) return;
    if (!newest || Date.parse(run.started) > Date.parse(newest.started)) newest = run;
  };
  await pMap(runFolders(service), consider, { concurrency: READS });
  return newest?.id;
}

/** The record of a run; of one that cannot be read, what the index says of it. */
async function recordOr(
  summary: RunSummary | undefined,
  service: BlobServiceClient,
  id: string,
): Promise<RunSummary | undefined> {
  try {
    return await readSummary(new Ledger(service, id));
  } catch (error) {
    if (error instanceof DamagedRecord || error instanceof NewerLedger) return summary;
    throw error;
  }
}

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
