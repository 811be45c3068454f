import { createHash } from "node:crypto";
import type { Settings } from "../settings.ts";
import type { RestoreRequest } from "./request.ts";
import type { RestoreScope } from "./restore-scope.ts";

export interface RestoreContext {
  realTo: string;
  overwrite: RestoreRequest["overwrite"];
  /** Names the temporary files of this batch; see temporaryName. */
  mark: string;
  fileTimeoutMs: number;
  /** See wantedMode. */
  setuid: boolean;
}

/** @param work names the batch or file, the same in each delivery; temporary names derive from it */
export function restoreContext(
  { realTo, overwrite }: RestoreScope,
  work: string,
  { fileTimeoutMs, restoreSetuid: setuid }: Settings,
): RestoreContext {
  const mark = createHash("sha256").update(work).digest("hex").slice(0, 12);
  return { realTo, overwrite, mark, fileTimeoutMs, setuid };
}
