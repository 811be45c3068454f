import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { DamagedRecord, isNewer, NewerLedger } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readListingNow } from "../ledger/listing.ts";
import { overlap } from "../ledger/prune-lock.ts";
import { runFolders } from "../ledger/run-folders.ts";
import { runRecord, type RunRecord } from "../ledger/run-record.ts";

/** A run as retention sees it: its record, or as much as the listing of the tree makes up for a damaged one. */
export interface KnownRun extends Pick<RunRecord, "id" | "of" | "root" | "container" | "prefix"> {
  kind: NonNullable<RunRecord["kind"]>;
  /** ISO 8601; undefined when the record is damaged. */
  started: string | undefined;
  finished?: string;
  status: RunRecord["status"] | "damaged";
  counts?: RunRecord["counts"];
  forgotten?: string;
}

/** Whether a run is a backup that began. One that a schedule skipped left a record and nothing else. */
export function isBackup({ kind, status }: KnownRun): boolean {
  return kind === "backup" && status !== "skipped";
}

/** Records read at a time. */
const READS = 32;

/**
 * All runs whose blobs may be those of a destination: its own, and those of destinations that it lies in or that lie in
 * it. By the folders of the ledgers, not by the index of runs: a run that is missing there is still needed.
 * @throws NewerLedger where a ledger is of a newer version: what it needs is not known
 */
export async function knownRuns(
  service: BlobServiceClient,
  place: { container: string; prefix: string },
): Promise<KnownRun[]> {
  const runs: KnownRun[] = [];
  await pMap(
    runFolders(service),
    async (id) => {
      const run = await readKnown(new Ledger(service, id));
      if (run?.container === place.container && overlap(run.prefix, place.prefix)) runs.push(run);
    },
    { concurrency: READS },
  );
  return runs.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readKnown(ledger: Ledger): Promise<KnownRun | undefined> {
  const text = await ledger.read("run.json");
  const record = text === undefined ? undefined : parse(text);
  if (isNewer(record)) throw new NewerLedger(ledger.runId);
  if (record && isWhole(record)) return { ...record, kind: record.kind ?? "backup", id: ledger.runId };
  const listing = await readListingNow(ledger, "0").catch((error: unknown) => {
    if (error instanceof DamagedRecord) return undefined;
    throw error;
  });
  // Neither a record nor a listing: no restore can read it, so it needs nothing.
  const { root, container, prefix } = listing?.request ?? {};
  if (root === undefined || container === undefined || prefix === undefined) return undefined;
  return { id: ledger.runId, kind: "backup", root, container, prefix, started: undefined, status: "damaged" };
}

function parse(text: string): Partial<RunRecord> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Partial<RunRecord>) : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(record: Partial<RunRecord>): record is RunRecord {
  return runRecord.safeParse(record).success;
}
