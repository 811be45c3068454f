import type { OrchestrationContext } from "durable-functions";
import { isPart } from "./fan-out.ts";

/**
 * Refuses an orchestration that the app did not start itself. Its input says what may be read and written, and anyone who
 * has the key of the Durable API can start any orchestrator with any input.
 */
export function assertHandedOut(context: OrchestrationContext): void {
  if (!isPart(context))
    throw new Error("This orchestrator does a part of a run and cannot be started by itself.");
}
