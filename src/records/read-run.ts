import type { BlobServiceClient } from "@azure/storage-blob";
import { emptyCounts, filesOf, type Counts } from "../backup/outcome.ts";
import { parseBackupRequest } from "../backup/request.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readRun, type RunRecord } from "../ledger/run-record.ts";
import type { Instance, Instances } from "./instances.ts";
import { listPages } from "./list-blobs.ts";
import { viewOf } from "./run-view.ts";
import type { Progress, RunView } from "./schema.ts";

/** An id that a run can have. Parts of a run have a colon in theirs, and are none. */
const RUN_ID = /^[\w.~-]{1,128}$/;

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
  if (!record) return instance && fromInstance(id, instance);
  if (instance?.status === "active") return record;
  // It may have closed its record since that was read.
  const again = await readRun(new Ledger(service, id));
  if (again && again.status !== "running") return again;
  return { ...record, ...endOf(instance) };
}

/** A backup that has not begun its record yet, or could not: as much as its start says of it. */
function fromInstance(id: string, instance: Instance): RunRecord | undefined {
  if (instance.name !== "backupSiteContent") return undefined;
  const request = parseBackupRequest(instance.input);
  if (!request.ok) return undefined;
  const { root, container, prefix, mode } = request.value;
  const begun = {
    version: 1 as const,
    id,
    root,
    container,
    prefix,
    mode,
    started: instance.created.toISOString(),
  };
  return instance.status === "active" ? { ...begun, status: "running" } : { ...begun, ...endOf(instance) };
}

function endOf(instance: Instance | undefined): Pick<RunRecord, "status" | "finished" | "message"> {
  if (!instance)
    return { status: "failed", message: "Its orchestration is gone: it was purged before it ended." };
  const { status, output, updated } = instance;
  const finished = updated.toISOString();
  if (status === "completed") return { status, finished };
  const said = typeof output === "string" && output !== "" ? { message: output.slice(0, 2000) } : {};
  return { status: status === "canceled" ? "canceled" : "failed", finished, ...said };
}

/** What a file costs beside its bytes, for guessing the time that is left. */
const FILE_COST = 64 * 1024;

/** How far a run is, by the metadata of its ledger's blobs. */
export async function readProgress(
  service: BlobServiceClient,
  run: Pick<RunRecord, "id" | "started">,
): Promise<{ counts: Counts; progress: Progress }> {
  const counts = emptyCounts();
  const listed = { files: 0, bytes: 0, complete: false };
  const settled = { files: 0, bytes: 0 };
  let parts = 0;
  let known = 1;
  for await (const { blobs } of listPages(service, `${run.id}/`)) {
    for (const { name, metadata = {} } of blobs) {
      if (name.startsWith(`${run.id}/outcomes/`)) {
        const some = countsOf(metadata);
        for (const key of keys(counts)) counts[key] += some[key];
        // What was settled by listing it was never to be copied.
        if (name.endsWith("-listed.jsonl")) continue;
        settled.files += filesOf(some) + some.directories;
        settled.bytes += some.bytes + some.unchangedBytes;
      } else if (metadata["rest"] !== undefined) {
        parts++;
        known += whole(metadata["rest"]);
        listed.files += whole(metadata["files"]);
        listed.bytes += whole(metadata["bytes"]);
      }
    }
  }
  listed.complete = parts === known;
  return { counts, progress: { listed, settled, ...paceOf(listed, settled, run.started) } };
}

function paceOf(listed: Progress["listed"], settled: Progress["settled"], started: string) {
  const seconds = Math.max(0.001, (Date.now() - Date.parse(started)) / 1000);
  const cost = (some: { files: number; bytes: number }): number => some.bytes + some.files * FILE_COST;
  const done = cost(settled);
  const pace = {
    bytesPerSecond: round(settled.bytes / seconds),
    filesPerSecond: round(settled.files / seconds),
  };
  if (!listed.complete || done === 0) return pace;
  return { ...pace, secondsLeft: round((Math.max(0, cost(listed) - done) * seconds) / done) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Metadata names are lower case. */
function countsOf(metadata: Record<string, string>): Counts {
  const counts = emptyCounts();
  for (const key of keys(counts)) counts[key] = whole(metadata[key.toLowerCase()]);
  return counts;
}

function keys(counts: Counts): (keyof Counts)[] {
  return Object.keys(counts) as (keyof Counts)[];
}

function whole(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
