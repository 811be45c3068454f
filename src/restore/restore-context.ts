import { createHash, randomBytes } from "node:crypto";
import type { Settings } from "../settings.ts";
import type { RestoreRequest, RestoreScope } from "./request.ts";

const TEMPORARY_END = ".partial";

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

/** The name of a file while it is written. It belongs to this batch, and cannot be guessed. */
export function temporaryName(mark: string): string {
  return `${temporaryPrefix(mark)}${randomBytes(12).toString("hex")}${TEMPORARY_END}`;
}

/** Whether a name is that of a temporary file of this batch. */
export function isTemporaryOf(mark: string, name: string): boolean {
  const [prefix, end] = [temporaryPrefix(mark), TEMPORARY_END];
  return (
    name.startsWith(prefix) &&
    name.endsWith(end) &&
    /^[0-9a-f]+$/.test(name.slice(prefix.length, -end.length))
  );
}

function temporaryPrefix(mark: string): string {
  return `.restore-${mark}-`;
}
