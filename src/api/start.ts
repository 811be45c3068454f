import { randomUUID } from "node:crypto";
import * as df from "durable-functions";
import { Ledger } from "../ledger/ledger.ts";
import { closeRun, openRun } from "../ledger/runs.ts";
import { emptyCounts } from "../model/outcome.ts";
import { line } from "../telemetry/line.ts";
import { prepareBackup } from "./backup.ts";
import { isActive, type Start } from "./engine.ts";
import { HttpProblem } from "./problem.ts";
import { preparePrune } from "./prune.ts";
import { readBody } from "./read-body.ts";
import { prepareRestore, prepareVerify } from "./restore.ts";
import { STARTS, type Route } from "./route.ts";

type OrchestratorName = keyof typeof STARTS;

/** What checks the requests of the orchestrators that callers may start. */
const PREPARE: Readonly<Record<OrchestratorName, typeof prepareBackup>> = {
  backupSiteContent: prepareBackup,
  restoreSiteContent: prepareRestore,
  verifyBackup: prepareVerify,
  pruneBackups: preparePrune,
};

const NOT_STARTED = "The durable engine did not start the orchestration. Start the run again.";

/** Starts one of the app's public orchestrators. */
export const httpStart: Route = {
  name: "httpStart",
  method: "POST",
  path: "orchestrators/{orchestratorName}",
  auth: "function",
  starts: STARTS,
  async handle(request, { context, services }) {
    const name = publicName(request.params["orchestratorName"]);
    const client = df.getClient(context);
    const instanceId = newInstanceId();
    await start(name, await readBody(request), { instanceId, client, services });
    context.info(line("run.started", { run: instanceId, orchestrator: name }));
    return client.createCheckStatusResponse(request, instanceId);
  },
};

/** An instance id like the Durable extension's: 32 hexadecimal characters. */
export function newInstanceId(): string {
  return randomUUID().replaceAll("-", "");
}

/** @throws HttpProblem 404 for any other name */
function publicName(name = ""): OrchestratorName {
  if (Object.hasOwn(PREPARE, name)) return name as OrchestratorName;
  throw new HttpProblem(
    404,
    `There is no orchestrator "${name.slice(0, 64)}" to start. Start one of ${Object.keys(PREPARE).join(", ")}.`,
  );
}

/**
 * Starts a public orchestrator: validates the body, checks what it names, claims the destination and opens the run's
 * record. The orchestration's input is the body as it came, so that its status shows what was requested.
 * @throws HttpProblem, and errors of storage or the engine
 */
export async function start(name: OrchestratorName, body: unknown, how: Start): Promise<void> {
  const { instanceId, client, services, isRetried = false } = how;
  const ledger = new Ledger(services.storage, instanceId);
  const opening = await PREPARE[name](body, how);
  await openRun(ledger, { ...opening, app: services.settings.app });
  try {
    await client.startNew(name, { instanceId, input: body });
  } catch (error) {
    // Perhaps it began, and only the answer was lost.
    if (!isRetried && (await isActive(client, instanceId)) === undefined)
      await closeRun(ledger, { status: "failed", counts: emptyCounts(), message: NOT_STARTED });
    throw error;
  }
}
