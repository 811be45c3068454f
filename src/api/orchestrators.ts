import { prepareBackup } from "./backup.ts";
import { preparePrune } from "./prune.ts";
import { prepareRestore, prepareVerify } from "./restore.ts";
import type { Start } from "./start-context.ts";

/** An orchestrator that may be started from outside. */
export interface PublicOrchestrator {
  /** Validates the body, and gives the orchestrator's input. @throws HttpProblem */
  prepare(body: unknown, start: Start): Promise<unknown>;
}

/** The app's public orchestrators, by name; no other can be started. */
export const orchestrators: ReadonlyMap<string, PublicOrchestrator> = new Map([
  ["backupSiteContent", { prepare: prepareBackup }],
  ["restoreSiteContent", { prepare: prepareRestore }],
  ["verifyBackup", { prepare: prepareVerify }],
  ["pruneBackups", { prepare: preparePrune }],
]);
