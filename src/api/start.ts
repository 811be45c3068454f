import { randomUUID } from "node:crypto";
import { Ledger } from "../ledger/ledger.ts";
import { closeRun, openRun } from "../ledger/runs.ts";
import { emptyCounts } from "../model/outcome.ts";
import { orchestrators, type PublicOrchestrator } from "./orchestrators.ts";
import type { Start } from "./start-context.ts";
import { HttpProblem } from "./problem.ts";
import { isActive } from "./still-running.ts";

const NOT_STARTED = "The durable engine did not start its orchestration. Start the run again.";

/** An instance id as the Durable extension makes them: 32 hexadecimal characters. */
export function newInstanceId(): string {
  return randomUUID().replaceAll("-", "");
}

/** The public orchestrator of this name. @throws HttpProblem 404 that names those there are */
export function startable(name: string): PublicOrchestrator {
  const orchestrator = orchestrators.get(name);
  if (orchestrator) return orchestrator;
  throw new HttpProblem(
    404,
    `There is no orchestrator "${name.slice(0, 64)}" to start. There are: ${[...orchestrators.keys()].join(", ")}.`,
  );
}

/**
 * Starts a public orchestrator, whoever asks: validates the body, checks what it names, claims the destination, opens the
 * run's record. Its input is the body as it came, so that the status shows what was asked for.
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
    // It may have begun all the same, and only the answer was lost.
    if (!isRetried && (await isActive(client, instanceId)) === undefined)
      await closeRun(ledger, { status: "failed", counts: emptyCounts(), message: NOT_STARTED });
    throw error;
  }
}
