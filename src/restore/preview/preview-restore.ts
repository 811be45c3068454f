import type { BlobServiceClient } from "@azure/storage-blob";
import { fileError } from "../../files/file-error.ts";
import { realDirectory } from "../../files/real-path.ts";
import { FileTimeout, withTimeout } from "../../files/timeout.ts";
import type { Settings } from "../../settings.ts";
import type { Ignored } from "../../files/one-name.ts";
import { planFiles, type Planning, type RestorePlan } from "../plan-files.ts";
import { noPlan, type PlanInput } from "../../manifest/plan.ts";
import type { RestoreRequest } from "../request.ts";

/** Plans one part of a dry run; see planFiles. */
export async function previewRestore(
  input: PlanInput<RestoreRequest>,
  service: BlobServiceClient,
  settings: Settings,
): Promise<RestorePlan> {
  return await planFiles(input, service, settings, { settleTarget, ignoredIn: usually });
}

/** One that is not there would be made. */
const settleTarget: Planning["settleTarget"] = async (base, _ledger, { fileTimeoutMs }) => {
  const { to } = base.request;
  try {
    return { ...base, realTo: await withTimeout(realDirectory(to), fileTimeoutMs, "looking it up") };
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return base;
    const why = error instanceof FileTimeout ? error.message : fileError(code);
    return noPlan(base, `The directory ${to} cannot be restored into: ${why}.`);
  }
};

/** What a system's own file systems do: to find out what the directory's does takes a file in it. */
async function usually(): Promise<Ignored> {
  const { platform } = process;
  return { case: platform === "win32" || platform === "darwin", form: platform === "darwin" };
}
