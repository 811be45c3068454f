import { fileError } from "../files/file-error.ts";
import { isAllowed } from "../files/roots.ts";
import { FileTimeout } from "../files/timeout.ts";
import { PartProblem } from "../ledger/settle-part.ts";
import type { Settings } from "../settings.ts";

/**
 * Why a directory must not be restored into, for people; undefined where it may be. To be asked by each activity before
 * it touches a file: the setting may have changed since the plan was made, a link may lead elsewhere, and a plan is read
 * from a ledger that others may have written.
 * @param target the directory as the request names it and, once it is known, with every link in it followed
 */
export async function refusedTarget(
  target: { to: string; realTo?: string },
  { restoreRoots, fileTimeoutMs }: Pick<Settings, "restoreRoots" | "fileTimeoutMs">,
): Promise<string | undefined> {
  const { to, realTo = to } = target;
  const allowed = (directory: string) => isAllowed(directory, restoreRoots, fileTimeoutMs);
  if ((await allowed(realTo)) && (await allowed(to))) return undefined;
  return `The directory ${to} is not in one of those that may be restored into. The setting RESTORE_ROOTS names them.`;
}

/** Why a directory cannot be restored into, by what its file system says. */
export function asTargetProblem(error: unknown, to: string): PartProblem {
  if (error instanceof PartProblem) return error;
  const { code = String(error) } = error as NodeJS.ErrnoException;
  const why = error instanceof FileTimeout ? error.message : fileError(code);
  return new PartProblem(`The directory ${to} cannot be restored into: ${why}.`);
}
