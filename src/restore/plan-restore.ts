import type { BlobServiceClient } from "@azure/storage-blob";
import { realDirectory } from "../files/real-path.ts";
import { realOrNearest } from "../files/roots.ts";
import { withTimeout } from "../files/timeout.ts";
import { Ledger } from "../ledger/ledger.ts";
import { PartProblem, type Part } from "../ledger/part-kind.ts";
import type { ManifestItem } from "../manifest/line.ts";
import type { PlanInput, PlanOwn } from "../manifest/plan-record.ts";
import type { Settings } from "../settings.ts";
import { directoriesAbove, missingDirectories } from "./directories-to-make.ts";
import { makeTarget, probeNames } from "./make-target.ts";
import { modesAbove } from "./modes-above.ts";
import { planFiles, type Ways } from "./plan-files.ts";
import type { RestoreRequest } from "./request.ts";
import { asTargetProblem, refusedTarget } from "./restore-error.ts";

/** Plans one part of a restore, and makes the target; see planFiles. */
export async function planRestore(
  input: PlanInput<RestoreRequest>,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Part<PlanOwn>> {
  const { largeFile } = settings;
  return await planFiles(input, service, settings, { settleTarget, ignoredIn, complete, largeFile });
}

const settleTarget: Ways["settleTarget"] = async (to, ledger, settings) => {
  const { fileTimeoutMs } = settings;
  try {
    // Made below the real path of what exists, which is what the roots must allow.
    const real = await realOrNearest(to, fileTimeoutMs);
    const outside = await refusedTarget({ to, realTo: real }, settings);
    if (outside !== undefined) throw new PartProblem(outside);
    const made = await makeTarget(real, ledger, fileTimeoutMs);
    const realTo = await withTimeout(realDirectory(to), fileTimeoutMs, "looking it up");
    return { made, realTo };
  } catch (error) {
    throw asTargetProblem(error, to);
  }
};

const ignoredIn: Ways["ignoredIn"] = async (realTo, { fileTimeoutMs }) =>
  await withTimeout(probeNames(realTo), fileTimeoutMs, "trying its names");

/** The modes of the directories above the items, and which of them are missing. */
const complete: Ways["complete"] = async (planned, blobs, { source, realTo }, service, settings) => {
  const { fileTimeoutMs } = settings;
  const modes = await modesAbove(new Ledger(service, source.id), blobs);
  const makes = await missingDirectories(directoriesAbove(planned), { realTo, fileTimeoutMs });
  return { planned: planned.map((item) => ({ ...item, above: above(item, modes) })), makes };
};

function above({ path: portable }: ManifestItem, modes: ReadonlyMap<string, number>): (number | null)[] {
  const names = portable.split("/").slice(0, -1);
  return names.map((_name, depth) => modes.get(names.slice(0, depth + 1).join("/")) ?? null);
}
