import { setTimeout as sleep } from "node:timers/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { releaseDestination } from "../ledger/destination-claim.ts";
import { CLOCK_SKEW_MS } from "../ledger/good-run.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import { closeRun } from "../ledger/runs.ts";
import { CANCELED, type Instances } from "./engine.ts";
import { currentRecord, showRun } from "./read-run.ts";
import type { RunView } from "./schema.ts";

/** How long to wait for orchestrations to end: the engine ends one at its next turn. */
const PATIENCE_MS = 20_000;
const EVERY_MS = 200;
const AT_A_TIME = 8;

/** The run had ended before it could be canceled. */
export class HasEnded extends Error {}

/**
 * Stops a run: closes its record first, so that queued activities do nothing, then ends its root and all its parts,
 * including those that appear meanwhile. What was copied stays, and the destination is freed. Safe to repeat: a
 * second call finishes what the first could not.
 * Another app's engine cannot be reached. There the activities read the record before they begin, so the run ends
 * by itself. A restore of this app is left to end by itself too: once nothing writes any more, it sets the
 * modes of the directories it made.
 * @returns the run as it stands; undefined if there is none
 * @throws HasEnded
 */
export async function cancelRun(
  service: BlobServiceClient,
  instances: Instances,
  id: string,
): Promise<RunView | undefined> {
  const record = await currentRecord(service, instances, id);
  if (!record) return undefined;
  const { status, message } = record;
  const closed = await closeRun(new Ledger(service, id), {
    status: status === "running" ? "canceled" : status,
    ...(message === undefined ? {} : { message }),
  });
  if (closed?.status === "canceled" && !endsItself(closed))
    await endAll(instances, id, new Date(Date.parse(record.started) - CLOCK_SKEW_MS));
  await releaseDestination(service, record);
  if (closed && closed.status !== "canceled") {
    throw new HasEnded(`The run ${id} has ended already: ${closed.status}.`);
  }
  return await showRun(service, instances, id);
}

function endsItself({ kind, dryRun = false }: RunRecord): boolean {
  return kind === "restore" && !dryRun;
}

async function endAll(instances: Instances, run: string, since: Date): Promise<void> {
  const asked = new Set<string>();
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const active = await instances.activeOf(run, since);
    if (active.length === 0 || performance.now() > deadline) return;
    // The root first: it starts the parts.
    const more = active.filter((id) => !asked.has(id)).sort((a, b) => a.length - b.length);
    await pMap(more, (id) => instances.terminate(id, CANCELED), { concurrency: AT_A_TIME });
    for (const id of more) asked.add(id);
    await sleep(EVERY_MS);
  }
}
