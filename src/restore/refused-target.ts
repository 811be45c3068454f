import { fileError } from "../files/file-error.ts";
import { isAllowed } from "../files/roots.ts";
import { FileTimeout } from "../files/timeout.ts";
import { PartProblem } from "../ledger/part.ts";
import type { Settings } from "../settings.ts";

/**
 * Why a directory must not be restored into, as a message; undefined if it may be. Each activity asks before it touches a
 * file: since the plan was made, the setting may have changed, or a link may have come to lead elsewhere.
 * @param target the directory as the request names it and, once known, its real path
 */
export async function refusedTarget(
  target: { to: string; realTo?: string },
  { restoreRoots, fileTimeoutMs }: Pick<Settings, "restoreRoots" | "fileTimeoutMs">,
): Promise<string | undefined> {
  const { to, realTo = to } = target;
  const allowed = (directory: string) => isAllowed(directory, restoreRoots, fileTimeoutMs);
  if ((await allowed(realTo)) && (await allowed(to))) return undefined;
  return `The directory ${to} is outside the directories that RESTORE_ROOTS allows. Add it to that setting, or choose another.`;
}

/** The problem for a file system's error on the target. */
export function asTargetProblem(error: unknown, to: string): PartProblem {
  if (error instanceof PartProblem) return error;
  const { code = String(error) } = error as NodeJS.ErrnoException;
  const why = error instanceof FileTimeout ? error.message : fileError(code);
  return new PartProblem(`The directory ${to} cannot be restored into: ${why}.`);
}
