import { randomUUID } from "node:crypto";
import { Ledger } from "../ledger/ledger.ts";
import { closeRun, openRun } from "../ledger/runs.ts";
import { emptyCounts } from "../model/outcome.ts";
import { orchestrators, type PublicOrchestrator } from "./orchestrators.ts";
import type { Start } from "./start-context.ts";
import { HttpProblem } from "./problem.ts";
import { isActive } from "./still-running.ts";

const NOT_STARTED = "The durable engine did not start the orchestration. Start the run again.";

/** An instance id like the Durable extension's: 32 hexadecimal characters. */
export function newInstanceId(): string {
  return randomUUID().replaceAll("-", "");
}

/** The public orchestrator with this name. @throws HttpProblem 404 that lists them */
export function startable(name: string): PublicOrchestrator {
  const orchestrator = orchestrators.get(name);
  if (orchestrator) return orchestrator;
  throw new HttpProblem(
    404,
    `There is no orchestrator "${name.slice(0, 64)}" to start. Start one of ${[...orchestrators.keys()].join(", ")}.`,
  );
}

/**
 * Starts a public orchestrator: validates the body, checks what it names, claims the destination and opens the run's
 * record. Its input is the body as it came, so that the status shows what was requested.
 * @throws HttpProblem, and errors of storage or the engine
 */
export async function start(name: string, body: unknown, how: Start): Promise<void> {
  const { instanceId, client, services, isRetried = false } = how;
  const ledger = new Ledger(services.storage, instanceId);
  const opening = await startable(name).prepare(body, how);
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
