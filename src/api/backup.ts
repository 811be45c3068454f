import { parseBackupRequest } from "../backup/request.ts";
import { isAllowed } from "../files/roots.ts";
import { claimDestination } from "../ledger/destination-claim.ts";
import type { Opening } from "../ledger/runs.ts";
import { refusedClaim, refuseVersions } from "./destination.ts";
import { isStillRunning, type Start } from "./engine.ts";
import { HttpProblem } from "./problem.ts";
import { refuseWhilePruned } from "./prune.ts";

/** Checks a backup's request, and claims its destination. @throws HttpProblem */
export async function prepareBackup(body: unknown, start: Start): Promise<Opening> {
  const { instanceId, services } = start;
  const parsed = parseBackupRequest(body);
  if (!parsed.ok) throw new HttpProblem(400, parsed.problem);
  const request = parsed.value;
  if (!(await isAllowed(request.root, services.settings.roots, services.settings.fileTimeoutMs))) {
    throw new HttpProblem(
      403,
      `The directory ${request.root} is outside the directories that BACKUP_ROOTS allows.`,
    );
  }
  await refuseWhilePruned(request, start);
  const { app, layout: otherwise } = services.settings;
  await refuseVersions(body, services, request);
  const claim = await claimDestination(
    services.storage,
    { ...request, run: instanceId, app },
    otherwise,
    (run, earlier) => isStillRunning(start, run, earlier),
  );
  if (claim.claimed) return { ...request, layout: claim.layout };
  throw refusedClaim(request, claim, app);
}
