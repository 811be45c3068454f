import path from "node:path";
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Ignored } from "../../files/one-name.ts";
import { realDirectory } from "../../files/real-path.ts";
import { withTimeout } from "../../files/timeout.ts";
import type { Part } from "../../ledger/part.ts";
import type { PlanInput, PlanOwn } from "../../manifest/plan-record.ts";
import type { Settings } from "../../settings.ts";
import { planFiles, type Ways } from "../plan-files.ts";
import { asTargetProblem } from "../refused-target.ts";
import type { RestoreRequest } from "../request.ts";

/** Plans one part of a dry run; see planFiles. */
export async function previewRestore(
  input: PlanInput<RestoreRequest>,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Part<PlanOwn>> {
  return await planFiles(input, service, settings, { settleTarget, ignoredIn: usually, largeFile: Infinity });
}

/** A target that is missing would be made. */
const settleTarget: Ways["settleTarget"] = async (to, _ledger, { fileTimeoutMs }) => {
  try {
    return { realTo: await withTimeout(realDirectory(to), fileTimeoutMs, "looking it up") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { realTo: path.resolve(to) };
    throw asTargetProblem(error, to);
  }
};

/** What the system's usual file systems do. Testing the target's own would take writing a file. */
async function usually(): Promise<Ignored> {
  const { platform } = process;
  return { case: platform === "win32" || platform === "darwin", form: platform === "darwin" };
}
