import { randomUUID } from "node:crypto";
import { Ledger } from "../ledger/ledger.ts";
import { closeRun, openRun } from "../ledger/runs.ts";
import { emptyCounts } from "../model/outcome.ts";
import { prepareBackup } from "./backup.ts";
import { HttpProblem } from "./problem.ts";
import { preparePrune } from "./prune.ts";
import { prepareRestore } from "./restore.ts";
import type { Start } from "./start-context.ts";
import { isActive } from "./still-running.ts";
import { prepareVerify } from "./verify.ts";

/** The orchestrators that callers may start, and what checks their requests. */
const PUBLIC = {
  backupSiteContent: prepareBackup,
  restoreSiteContent: prepareRestore,
  verifyBackup: prepareVerify,
  pruneBackups: preparePrune,
};
export type OrchestratorName = keyof typeof PUBLIC;

const NOT_STARTED = "The durable engine did not start the orchestration. Start the run again.";

/** An instance id like the Durable extension's: 32 hexadecimal characters. */
export function newInstanceId(): string {
  return randomUUID().replaceAll("-", "");
}

/** @throws HttpProblem 404 for any other name */
export function assertPublic(name: string): asserts name is OrchestratorName {
  if (Object.hasOwn(PUBLIC, name)) return;
  throw new HttpProblem(
    404,
    `There is no orchestrator "${name.slice(0, 64)}" to start. Start one of ${Object.keys(PUBLIC).join(", ")}.`,
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
  const opening = await PUBLIC[name](body, how);
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
