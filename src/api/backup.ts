import { parseBackupRequest } from "../backup/request.ts";
import { isAllowed } from "../files/roots.ts";
import { claimDestination } from "../ledger/destination-claim.ts";
import type { Opening } from "../ledger/runs.ts";
import { isStillRunning } from "./still-running.ts";
import { HttpProblem, InUse, waitOrCancel } from "./problem.ts";
import { refuseWhilePruned } from "./prune.ts";
import type { Start } from "./start-context.ts";

export async function prepareBackup(body: unknown, start: Start): Promise<Opening> {
  const { instanceId, services } = start;
  const parsed = parseBackupRequest(body);
  if (!parsed.ok) throw new HttpProblem(400, parsed.problem);
  const request = parsed.value;
  if (!(await isAllowed(request.root, services.settings.roots, services.settings.fileTimeoutMs))) {
    throw new HttpProblem(
      403,
      `The directory ${request.root} is not in one that may be backed up. The setting BACKUP_ROOTS names those.`,
    );
  }
  await refuseWhilePruned(request, start);
  const { app } = services.settings;
  const claim = await claimDestination(
    services.storage,
    { ...request, run: instanceId, app },
    "files",
    (run, earlier) => isStillRunning(start, run, earlier),
  );
  if (claim.claimed) return { ...request, layout: claim.layout };
  const place = `${request.container}${request.prefix === "" ? "" : `/${request.prefix}`}`;
  if ("activeRun" in claim) {
    const { activeRun } = claim;
    throw new InUse(`The run ${activeRun} is backing up to ${place}. ${waitOrCancel(claim, app)}`, activeRun);
  }
  if ("otherLayout" in claim) {
    throw new HttpProblem(
      409,
      `${place} has the layout "${claim.otherLayout}". Leave "layout" out, or choose another "container" or "prefix".`,
    );
  }
  throw new HttpProblem(
    409,
    `${place} holds the backups of ${claim.otherRoot}. Choose another "container" or "prefix", or set "allowOtherRoot" to true.`,
    { otherRoot: claim.otherRoot },
  );
}
