import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { z } from "zod";
import { isNewer, NewerLedger, damagedAsMissing, UnknownRun } from "../ledger/damaged.ts";
import { readFilters } from "../ledger/good-run.ts";
import { Ledger } from "../ledger/ledger.ts";
import { listingName, OUTCOMES_FOLDER, RUN_RECORD } from "../ledger/names.ts";
import { overlap } from "../ledger/prune-lock.ts";
import { indexedRuns, runFolders, type RunSummary } from "../ledger/run-index.ts";
import { runRecord, type RunRecord } from "../ledger/run-record.ts";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { blobPages } from "../storage/blob-pages.ts";

/** A run as retention sees it: its record, or what else is known if that is damaged. */
export interface KnownRun extends Pick<RunRecord, "id" | "of" | "root" | "container" | "prefix" | "layout"> {
  kind: NonNullable<RunRecord["kind"]>;
  /** ISO 8601; undefined when the record is damaged. */
  started: string | undefined;
  finished?: string;
  status: RunRecord["status"] | "damaged";
  counts?: RunRecord["counts"];
  forgotten?: string;
  brokenOff?: true;
  suspect?: true;
  /** A backup's filters, if they are known; see filtersOf. */
  filters?: string | undefined;
}

/** Whether a run is a backup that began. A skipped one left a record and nothing else. */
export function isBackup({ kind, status }: KnownRun): boolean {
  return kind === "backup" && status !== "skipped";
}

/** Concurrent reads of records. */
const READS = 32;

type Place = Pick<RunRecord, "container" | "prefix">;

/**
 * All runs that may have blobs in a destination: its own, and those of destinations that overlap it. Found by their folders,
 * because the index of runs may lack one.
 * @throws NewerLedger if a newer version wrote a ledger, UnknownRun if everything that says what a run backed up is damaged
 */
export async function knownRuns(service: BlobServiceClient, place: Place): Promise<KnownRun[]> {
  const runs: KnownRun[] = [];
  await pMap(
    runFolders(service),
    async (id) => {
      const ledger = new Ledger(service, id);
      const run = await readKnown(ledger, place);
      if (run?.container !== place.container || !overlap(run.prefix, place.prefix)) return;
      runs.push(isBackup(run) ? { ...run, filters: await readFilters(ledger) } : run);
    },
    { concurrency: READS },
  );
  return runs.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readKnown(ledger: Ledger, place: Place): Promise<KnownRun | undefined> {
  const text = await readText(ledger, RUN_RECORD);
  const record = parse(text);
  if (isNewer(record)) return ofNewer(ledger, record, place);
  const whole = runRecord.safeParse(record);
  if (whole.success) {
    const run = record as RunRecord;
    return { ...run, kind: run.kind ?? "backup", id: ledger.runId };
  }
  const listingText = await readText(ledger, listingName("0"));
  const listing = parse(listingText);
  if (isNewer(listing)) return ofNewer(ledger, (listing as { request?: unknown }).request, place);
  const listed = backupListing.safeParse(listing);
  if (listed.success) return damaged(ledger, listed.data.request);
  // It has nothing that can be restored, so it needs nothing.
  if (restorePlan.safeParse(listing).success || !(await mayHaveManifest(ledger))) return undefined;
  const indexed = await findInIndex(ledger);
  if (indexed) return (indexed.kind ?? "backup") === "backup" ? damaged(ledger, indexed) : undefined;
  // Its records are gone, from the index too: a late activity wrote an outcome after the run was pruned.
  if (text === undefined && listingText === undefined) return undefined;
  throw new UnknownRun(ledger.runId);
}

/** A record's text. One too large to be read counts as damaged, not as missing. */
async function readText(ledger: Ledger, name: string): Promise<string | undefined> {
  try {
    return await ledger.read(name);
  } catch (error) {
    damagedAsMissing(error);
    return "damaged";
  }
}

/** Whether a run left outcomes that may be a backup's. */
async function mayHaveManifest(ledger: Ledger): Promise<boolean> {
  let any = false;
  const container = ledger.service.getContainerClient(LEDGER_CONTAINER);
  for await (const { blobs } of blobPages(container, { prefix: `${ledger.runId}/` })) {
    const names = blobs.map(({ name }) => name.slice(ledger.runId.length + 1));
    // A prune.
    if (names.includes("decision.json")) return false;
    any ||= names.some((name) => name.startsWith(OUTCOMES_FOLDER));
  }
  return any;
}

async function findInIndex({ service, runId }: Ledger): Promise<RunSummary | undefined> {
  for await (const { id, summary } of indexedRuns(service)) if (id === runId) return summary;
  return undefined;
}

const backupListing = z.looseObject({
  realRoot: z.string(),
  request: z.looseObject({ root: z.string(), container: z.string(), prefix: z.string() }),
});
/** The plan of a restore or a verification. */
const restorePlan = z.looseObject({ source: z.looseObject({ id: z.string() }) });
const destination = z.looseObject({ container: z.string() });

/** A newer version's run is skipped if it is known to be of another container: it has no blobs here. */
function ofNewer(ledger: Ledger, said: unknown, { container }: Place): undefined {
  const read = destination.safeParse(said);
  if (!read.success || read.data.container === container) throw new NewerLedger(ledger.runId);
}

function damaged(
  { runId }: Ledger,
  { root, container, prefix }: Pick<RunRecord, "root" | "container" | "prefix">,
): KnownRun {
  return { id: runId, kind: "backup", root, container, prefix, started: undefined, status: "damaged" };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
