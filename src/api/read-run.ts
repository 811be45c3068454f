import type { BlobServiceClient } from "@azure/storage-blob";
import { isBeingStarted, isOfAnother, wroteRecently } from "../ledger/alive.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readRun, type RunRecord } from "../ledger/run-record.ts";
import { recordCounts } from "../ledger/runs.ts";
import { RUN_ID } from "../model/names.ts";
import { lingers } from "../prune/choose-runs.ts";
import type { Instance, Instances } from "./engine.ts";
import { readProgress } from "./progress.ts";
import { viewOf } from "./run-view.ts";
import type { RunSummaryView, RunView } from "./schema.ts";

/**
 * One run: its record and, while it is running, its progress (one list call over its ledger). If the record says
 * running and the durable engine knows better, for example after a terminate, the engine is right. This app's engine
 * knows nothing of another app's run: that counts as running as long as it writes anything.
 * @returns undefined if there is no such run
 */
export async function showRun(
  service: BlobServiceClient,
  instances: Instances,
  id: string,
): Promise<RunView | undefined> {
  const record = await currentRecord(service, instances, id);
  if (!record) return undefined;
  const { message, warnings, comparedWith } = record;
  const more = {
    ...(message === undefined ? {} : { message }),
    ...(warnings === undefined ? {} : { warnings }),
    ...(comparedWith === undefined ? {} : { comparedWith }),
  };
  if (record.status !== "running") return { ...(await viewOfEnded(service, record)), ...more };
  const { counts, progress } = await readProgress(service, record);
  return { ...viewOf(service, { ...record, counts }), ...more, progress };
}

/**
 * A run that has ended, with its counts. The record of a terminated run, such as a canceled one, has none, and running
 * activities may still add to them. Until those must have ended the counts are read each time; after that they are recorded.
 */
export async function viewOfEnded(
  service: BlobServiceClient,
  record: Omit<RunRecord, "message">,
): Promise<RunSummaryView> {
  if (record.counts || record.status === "skipped") return viewOf(service, record);
  const { counts } = await readProgress(service, record);
  const view = viewOf(service, { ...record, counts });
  if (lingers(record, new Date())) return { ...view, settling: true };
  if (record.status === "canceled") await recordCounts(new Ledger(service, record.id), counts);
  return view;
}

/** A run's record, corrected by what the engine knows; undefined if there is no such run. */
export async function currentRecord(
  service: BlobServiceClient,
  instances: Instances,
  id: string,
): Promise<RunRecord | undefined> {
  if (!RUN_ID.test(id)) return undefined;
  const record = await readRun(new Ledger(service, id));
  if (record?.status !== "running") return record;
  const instance = await instances.get(id);
  const isGoing = instance ? instance.status === "active" : isBeingStarted(record.started);
  if (isGoing) return record;
  // This app's engine cannot tell whether it has ended.
  const isElsewhere = !instance && isOfAnother(instances.app, record);
  if (isElsewhere && (await wroteRecently(service, record))) return record;
  // The run may have closed its record in the meantime.
  const again = await readRun(new Ledger(service, id));
  if (again && again.status !== "running") return again;
  return { ...record, ...(isElsewhere ? silent(record) : endOf(instance)) };
}

/** The end of another app's run that has gone silent. */
function silent({ app }: RunRecord): Pick<RunRecord, "status" | "message"> {
  return {
    status: "failed",
    message: `It ran in the app ${app} and has written nothing for 24 hours, so it is assumed dead.`,
  };
}

/** How a run ended if its record does not say. */
function endOf(instance: Instance | undefined): Pick<RunRecord, "status" | "finished" | "message"> {
  if (!instance)
    return {
      status: "failed",
      message: "Its orchestration is gone: it never began, or was purged before it ended.",
    };
  const { status, output, updated } = instance;
  const finished = updated.toISOString();
  if (status === "completed") return { status, finished };
  const said = typeof output === "string" && output !== "" ? { message: output.slice(0, 2000) } : {};
  return { status: status === "canceled" ? "canceled" : "failed", finished, ...said };
}
