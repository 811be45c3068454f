import { createHash } from "node:crypto";
import type { InvocationContext, Timer } from "@azure/functions";
import * as df from "durable-functions";
import { parseBackupRequest } from "../backup/request.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readRun } from "../ledger/run-record.ts";
import { recordUnstarted, type Opening } from "../ledger/runs.ts";
import { parsePruneRequest, pruneOpening } from "../prune/request.ts";
import type { Services } from "../services.ts";
import { line } from "../telemetry/line.ts";
import { layoutFor } from "./destination.ts";
import { isActive } from "./engine.ts";
import { HttpProblem, InUse } from "./problem.ts";
import { newInstanceId, start } from "./start.ts";

/** What a timer starts. */
interface Job {
  orchestrator: "backupSiteContent" | "pruneBackups";
  input: Record<string, unknown>;
  /** Why it cannot be started. */
  problem?: string | undefined;
}

/**
 * Starts what a schedule asks for, as an HTTP request would. If another run is in the way it is skipped, with a
 * record. What cannot be started at all is recorded as failed and thrown, because a schedule that does nothing must
 * be noticed. Each scheduled time starts one run, however often the timer fires for it.
 * @throws HttpProblem, and errors of storage or the engine, after which the host tries again
 */
export async function startOnSchedule(
  job: Job,
  timer: Timer,
  context: InvocationContext,
  services: Services,
): Promise<void> {
  const client = df.getClient(context);
  const due = dueMoment(timer, new Date());
  const instanceId = due ? tickRunId(job, due, services.settings.app) : newInstanceId();
  const what = {
    run: instanceId,
    orchestrator: job.orchestrator,
    due: due?.toISOString(),
    late: due && timer.isPastDue ? "yes" : undefined,
  };
  const ledger = new Ledger(services.storage, instanceId);
  if (due && (await isSettled(client, ledger))) {
    context.info(line("run.settled", what));
    return;
  }
  try {
    if (job.problem !== undefined) throw new HttpProblem(400, job.problem);
    await start(job.orchestrator, job.input, { instanceId, client, services, isRetried: due !== undefined });
    context.info(line("run.started", what));
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    const status = error instanceof InUse ? "skipped" : "failed";
    const record = { ...(await openingOf(job, services)), app: services.settings.app };
    await recordUnstarted(ledger, record, { status, message: error.message });
    if (status === "failed") throw error;
    context.warn(line("run.skipped", { ...what, message: error.message }));
  }
}

/**
 * Whether the run of a scheduled time has begun or was refused. If there is only an open record, the host was killed before the
 * run began.
 */
async function isSettled(client: df.DurableClient, ledger: Ledger): Promise<boolean> {
  if ((await isActive(client, ledger.runId)) !== undefined) return true;
  const record = await readRun(ledger);
  return record !== undefined && record.status !== "running";
}

/** What to record of a run that is not started, as far as its request can be read. */
async function openingOf({ orchestrator, input }: Job, services: Services): Promise<Opening> {
  const nowhere = { root: "", container: "backups", prefix: "", mode: "full" as const };
  if (orchestrator === "pruneBackups") {
    const request = parsePruneRequest(input);
    if (!request.ok) return { kind: "prune", ...nowhere };
    return { ...pruneOpening(request.value), layout: await layoutFor(services, request.value) };
  }
  const request = parseBackupRequest(input);
  if (!request.ok) return nowhere;
  return { ...request.value, layout: await layoutFor(services, request.value) };
}

/** What the host passes to a timer; no status for schedules of less than a minute, for which it keeps none. */
interface TimerStatus {
  scheduleStatus?: { next?: string } | null;
}

/** How far the host's clock may be ahead of this process's. */
const CLOCKS_MS = 60_000;

/**
 * The scheduled time that a timer runs for; undefined if it was run by hand, ahead of time. The host passes the time that was
 * due, and passes it again if it was killed before it recorded the call.
 */
function dueMoment({ scheduleStatus }: TimerStatus, now: Date): Date | undefined {
  const due = new Date(scheduleStatus?.next ?? "");
  return due.getTime() <= now.getTime() + CLOCKS_MS ? due : undefined;
}

/**
 * The run's id for a scheduled time: always the same, so that it starts one run however often the timer fires for it. Other
 * apps, and other slots of this one, get other ids: they know nothing of each other's orchestrations.
 */
function tickRunId(what: { orchestrator: string; input: unknown }, due: Date, app: string): string {
  return createHash("sha256")
    .update(JSON.stringify([app, what.orchestrator, what.input, due.toISOString()]))
    .digest("hex")
    .slice(0, 32);
}
