import type { Opening } from "../ledger/runs.ts";
import { findRun, openingOf } from "../manifest/find-run.ts";
import { NoSuchRun, type SourceRun } from "../manifest/source-run.ts";
import { parseRestoreRequest, whatItIs } from "../restore/request.ts";
import { refusedTarget } from "../restore/restore-error.ts";
import { parseVerifyRequest } from "../verify/request.ts";
import { isStillRunning, type Start } from "./engine.ts";
import { HttpProblem } from "./problem.ts";

export async function prepareRestore(body: unknown, start: Start): Promise<Opening> {
  const parsed = parseRestoreRequest(body);
  if (!parsed.ok) throw new HttpProblem(400, parsed.problem);
  const refused = await refusedTarget(parsed.value, start.services.settings);
  if (refused !== undefined) throw new HttpProblem(403, refused);
  return openingOf(await findSource(parsed.value, start), whatItIs(parsed.value));
}

/** The requested run. @throws HttpProblem 404 if there is none, 409 while it is in progress */
async function findSource(request: Parameters<typeof findRun>[1], start: Start): Promise<SourceRun> {
  let source: SourceRun;
  try {
    source = await findRun(start.services.storage, request);
  } catch (error) {
    if (error instanceof NoSuchRun) throw new HttpProblem(404, error.message);
    throw error;
  }
  // A terminated run never closed its record; what it recorded can be restored.
  if (source.status === "running" && (await isStillRunning(start, source.id))) {
    throw new HttpProblem(
      409,
      `The run ${source.id} is still in progress and has copied only part of the tree. Wait until it ends, or choose another run.`,
      { activeRun: source.id },
    );
  }
  return source;
}

export async function prepareVerify(body: unknown, start: Start): Promise<Opening> {
  const parsed = parseVerifyRequest(body);
  if (!parsed.ok) throw new HttpProblem(400, parsed.problem);
  return openingOf(await findSource(parsed.value, start), { kind: "verify" });
}
