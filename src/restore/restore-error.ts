/** Errors of a restore: of one item, or of everything still to be written. */
import { fileError } from "../files/file-error.ts";
import { isOutOfHandles } from "../files/handles.ts";
import { NotADirectory } from "../files/pinned-directory.ts";
import { FileTimeout } from "../files/timeout.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { classify, describe } from "../storage/errors.ts";
import { Lost } from "../store/fetching.ts";

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

const FULL = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

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
