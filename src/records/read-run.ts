import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../ledger/ledger.ts";
import { RUN_ID } from "../ledger/run-id.ts";
import { readRun, type RunRecord } from "../ledger/run-record.ts";
import type { Instances } from "./instances.ts";
import { readProgress } from "./progress.ts";
import { viewOf } from "./run-view.ts";
import type { RunView } from "./schema.ts";
import { endOf, fromInstance } from "./unrecorded.ts";

/**
 * One run: its record, and how far it is while it runs, by one list call over its ledger. Where the record says that it
 * runs and the durable engine knows better (it was terminated from outside, say), the engine is right.
 * @returns undefined when there is no such run
 */
export async function showRun(
  service: BlobServiceClient,
  instances: Instances,
  id: string,
): Promise<RunView | undefined> {
  const record = await currentRecord(service, instances, id);
  if (!record) return undefined;
  const { message } = record;
  const words = message === undefined ? {} : { message };
  // What was under way when a run was canceled may be recorded after its counts were.
  if (record.counts && record.status !== "canceled") return { ...viewOf(service, record), ...words };
  const { counts, progress } = await readProgress(service, record);
  const view = viewOf(service, { ...record, counts });
  return { ...view, ...words, ...(record.status === "running" ? { progress } : {}) };
}

/** A run's record as it should stand; undefined when there is no such run. */
export async function currentRecord(
  service: BlobServiceClient,
  instances: Instances,
  id: string,
): Promise<RunRecord | undefined> {
  if (!RUN_ID.test(id)) return undefined;
  const record = await readRun(new Ledger(service, id));
  if (record && record.status !== "running") return record;
  const instance = await instances.get(id);
  if (!record) return instance && (await fromInstance(service, id, instance));
  if (instance?.status === "active") return record;
  // It may have closed its record since that was read.
  const again = await readRun(new Ledger(service, id));
  if (again && again.status !== "running") return again;
  return { ...record, ...endOf(instance) };
}
