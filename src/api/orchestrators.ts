import type { DurableClient } from "durable-functions";
import { isAllowed } from "../files/roots.ts";
import { parseBackupRequest } from "../backup/request.ts";
import { claimDestination } from "../ledger/destination-claim.ts";
import type { Services } from "../services.ts";
import { goesOn } from "./is-active.ts";
import { HttpProblem, InUse, waitOrCancel } from "./problem.ts";
import { preparePrune, refuseWhilePruned } from "./prune.ts";
import { prepareRestore, prepareVerify } from "./restore.ts";

/** What preparing a start needs. */
export interface Start {
  /** The id that the instance is going to have. */
  instanceId: string;
  client: DurableClient;
  services: Services;
}

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

/** The input is the body as it came, so that the status shows what was asked for. */
async function prepareBackup(body: unknown, start: Start): Promise<unknown> {
  const { instanceId, services } = start;
  const parsed = parseBackupRequest(body);
  if (!parsed.ok) throw new HttpProblem(400, parsed.problem);
  const request = parsed.value;
  if (!(await isAllowed(request.root, services.settings.roots, services.settings.fileTimeoutMs))) {
    throw new HttpProblem(
      403,
      `The directory ${request.root} is not in one of those that may be backed up. The setting BACKUP_ROOTS names them.`,
    );
  }
  await refuseWhilePruned(request, start);
  const { app } = services.settings;
  const claim = await claimDestination(
    services.storage,
    { ...request, run: instanceId, app },
    (run, earlier) => goesOn(start, run, earlier),
  );
  if (claim.claimed) return body;
  const place = `${request.container}${request.prefix === "" ? "" : `/${request.prefix}`}`;
  if ("activeRun" in claim) {
    const { activeRun } = claim;
    throw new InUse(`The run ${activeRun} is backing up to ${place}. ${waitOrCancel(claim, app)}`, activeRun);
  }
  throw new HttpProblem(
    409,
    `${place} holds the backups of ${claim.otherRoot}. Choose another "container" or "prefix", or set "allowOtherRoot" to true.`,
    { otherRoot: claim.otherRoot },
  );
}
