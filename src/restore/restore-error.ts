/** Why something cannot be restored: an item, the target, or all that is left. */
import { fileError, isOutOfHandles } from "../files/errors.ts";
import { NotADirectory } from "../files/pinned-directory.ts";
import { isAllowed } from "../files/roots.ts";
import { FileTimeout } from "../files/timeout.ts";
import { PartProblem } from "../ledger/part-kind.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import { classify, describe } from "../storage/errors.ts";
import { Lost } from "../store/fetching.ts";

const FULL = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

/** Nothing more can be written: the disk is full or read-only. */
export class CannotWrite extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** A message that says what to do about a disk that is full or read-only. */
export function explainFull(code: string, to: string): string {
  const then = "start the restore again: it skips what is there already";
  if (code === "EROFS") return `${to} is on a read-only file system. Mount it for writing and ${then}.`;
  if (code === "EDQUOT") return `The disk quota for ${to} is used up. Make room and ${then}.`;
  return `The disk that ${to} is on is full. Make room and ${then}.`;
}

/** The outcome for an error that concerns this item alone; any other is thrown on. @throws CannotWrite */
export function failedOf(item: PlannedItem, error: unknown): Outcome {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && FULL.has(code)) throw new CannotWrite(code);
  if (error instanceof NotADirectory || error instanceof Lost || error instanceof FileTimeout) {
    return failed(item, error.message);
  }
  const failure = classify(error);
  if (isOutOfHandles(error)) return failed(item, fileError(error.code ?? ""));
  if (failure === "other") {
    if (syscall !== undefined && code !== undefined) return failed(item, fileError(code));
    return failed(item, error instanceof Error ? error.message : String(error));
  }
  if (["invalid", "conflict", "held", "missing", "damaged"].includes(failure)) {
    return failed(item, describe(error));
  }
  throw error;
}

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
