import { isDeepStrictEqual } from "node:util";
import type { BlobServiceClient } from "@azure/storage-blob";
import { ChangedRecord } from "../ledger/damaged.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { blobPages } from "../storage/blob-pages.ts";
import { classify } from "../storage/errors.ts";
import { choose } from "./choose-runs.ts";
import { DECISION, nothing, type Decision, type ManifestRef, type Standing } from "./decision.ts";
import { isBackup, knownRuns } from "./known-runs.ts";
import { manifestsOf } from "./list-manifests.ts";
import type { PruneRequest } from "./request.ts";
import { staleRecords } from "./stale-records.ts";

/**
 * Takes over the decision that is there already. Another delivery of the activity made it, or a stranger wrote it.
 * @throws ChangedRecord if this prune cannot have made it
 */
export async function adopt(standing: Standing, request: PruneRequest, ledger: Ledger): Promise<Standing> {
  const { decision, sha256 } = standing;
  // It does nothing, so it needs no check.
  if (decision.problem !== undefined) return { decision: nothing(request, decision.problem), sha256 };
  const agrees =
    isDeepStrictEqual(decision.request, request) &&
    // A dry run acts on nothing that it decides.
    (request.dryRun || (await isPossible(decision, request, ledger)));
  if (!agrees) throw new ChangedRecord(`${ledger.runId}/${DECISION}`);
  return standing;
}

/**
 * Whether a decision forgets nothing that the policy keeps, and knows everything that stays. It may forget less than would be
 * forgotten now, because of readers that have finished since; and some of what it forgets may be deleted already.
 */
async function isPossible(decision: Decision, request: PruneRequest, ledger: Ledger): Promise<boolean> {
  const { service, runId } = ledger;
  const runs = (await knownRuns(service, request)).filter(({ id }) => id !== runId);
  const { kept, forgotten } = choose(runs, request, new Set(), runId, new Date());
  const gone = idsOf(decision.forgotten);
  const stay = [...kept, ...forgotten].filter(({ id }) => !gone.has(id));
  const records = staleRecords(runs, { kept: stay, forgotten: decision.forgotten }, request.prefix);
  const mayGo = idsOf([...forgotten, ...records]);
  for (const { id } of [...decision.forgotten, ...decision.records])
    if (!mayGo.has(id) && (await isThere(id, service))) return false;
  if (gone.size === 0) return true;
  const staying = new Set(decision.staying);
  const read = await readAll(decision, ledger);
  if (!read) return false;
  const others = runs.filter((run) => isBackup(run) && !gone.has(run.id));
  const needed = await manifestsOf(others, gone, service);
  return needed.every(({ ref }) => staying.has(ref.run) && read.has(keyOf(ref)));
}

/** The manifests that a decision names; undefined if their lists are gone because the prune has ended, or were never written. */
async function readAll(decision: Decision, ledger: Ledger): Promise<Set<string> | undefined> {
  const read = new Set<string>();
  try {
    for (const lines of decision.manifests)
      for (const ref of await ledger.readLines<ManifestRef>(lines)) read.add(keyOf(ref));
    return read;
  } catch (error) {
    if (classify(error) !== "missing") throw error;
    return undefined;
  }
}

async function isThere(id: string, service: BlobServiceClient): Promise<boolean> {
  for await (const { blobs } of blobPages(service.getContainerClient(LEDGER_CONTAINER), { prefix: `${id}/` }))
    if (blobs.length > 0) return true;
  return false;
}

function idsOf(runs: readonly { id: string }[]): Set<string> {
  return new Set(runs.map(({ id }) => id));
}

/** Which run is the newest changes as marks are taken back. */
function keyOf({ run, name, prefix, kept }: ManifestRef): string {
  return JSON.stringify([run, name, prefix, kept]);
}
