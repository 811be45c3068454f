import { randomUUID } from "node:crypto";
import { orchestrators, type PublicOrchestrator } from "./orchestrators.ts";
import type { Start } from "./start-context.ts";
import { HttpProblem } from "./problem.ts";

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

/** Starts a public orchestrator, whoever asks: validates the body, checks what it names, claims the destination. @throws HttpProblem */
export async function start(name: string, body: unknown, how: Start): Promise<void> {
  const { instanceId, client } = how;
  const input = await startable(name).prepare(body, how);
  await client.startNew(name, { instanceId, input });
}
