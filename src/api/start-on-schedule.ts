import type { InvocationContext, Timer } from "@azure/functions";
import * as df from "durable-functions";
import { parseBackupRequest } from "../backup/request.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readRun, type RunRecord } from "../ledger/run-record.ts";
import { recordUnstarted } from "../ledger/runs.ts";
import { line } from "../telemetry/line.ts";
import { parsePruneRequest } from "../prune/request.ts";
import { dueMoment, tickRunId } from "./tick.ts";
import type { Services } from "../services.ts";
import { isActive } from "./still-running.ts";
import { HttpProblem, InUse } from "./problem.ts";
import { newInstanceId, start } from "./start.ts";

/** What a timer starts. */
export interface Job {
  orchestrator: "backupSiteContent" | "pruneBackups";
  input: Record<string, unknown>;
  /** Why it cannot be started, for people. */
  problem?: string | undefined;
}

/**
 * Starts what a schedule asks for, as an HTTP request for the same would. While another run is there it is skipped, with
 * a record. What cannot be started at all is recorded as failed, and thrown: a schedule that does nothing must show. A
 * moment that comes round twice starts one run.
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
  if (due && ((await isActive(client, instanceId)) !== undefined || (await readRun(ledger)))) {
    context.info(line("run.settled", what));
    return;
  }
  try {
    if (job.problem !== undefined) throw new HttpProblem(400, job.problem);
    await start(job.orchestrator, job.input, { instanceId, client, services });
    context.info(line("run.started", what));
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    const status = error instanceof InUse ? "skipped" : "failed";
    const record = { app: services.settings.app, ...recordOf(job) };
    await recordUnstarted(ledger, record, { status, message: error.message });
    if (status === "failed") throw error;
    context.warn(line("run.skipped", { ...what, message: error.message }));
  }
}

function recordOf({
  orchestrator,
  input,
}: Job): Pick<RunRecord, "kind" | "root" | "container" | "prefix" | "mode"> {
  const nowhere = { root: "", container: "backups", prefix: "", mode: "full" as const };
  if (orchestrator === "pruneBackups") {
    const request = parsePruneRequest(input);
    if (!request.ok) return { kind: "prune", ...nowhere };
    const { container, prefix } = request.value;
    return { kind: "prune", root: "", container, prefix, mode: "full" };
  }
  const request = parseBackupRequest(input);
  if (!request.ok) return nowhere;
  const { root, container, prefix, mode } = request.value;
  return { root, container, prefix, mode };
}
