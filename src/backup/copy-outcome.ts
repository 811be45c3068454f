import { classify } from "../storage/errors.ts";
import type { Entry } from "./entry.ts";
import { fileError } from "../file-system/file-error.ts";
import { isOutOfHandles } from "../file-system/handles.ts";
import type { Outcome } from "./outcome.ts";
import { Superseded, type Put } from "./put-blob.ts";
import { ChangedWhileReading, NotAFile } from "./read-file.ts";
import { FileTimeout } from "../file-system/timeout.ts";

/** Times a file is read from the start because it changed under the reader. */
export const READS = 3;

/** The outcome of a file whose content is in the destination. */
export function contentOutcome(
  entry: Entry,
  put: Put,
  mtime: number,
  mode: number,
  outcome: "copied" | "unchanged",
): Outcome {
  const { size, md5, adopted = { mtime, mode } } = put;
  return { path: entry.path, outcome, kind: entry.kind, size, ...adopted, md5 };
}

/** The outcome for an error that concerns this file alone; any other is thrown on. */
export function errorOutcome(entry: Entry, error: unknown): Outcome {
  const outcome = (name: Outcome["outcome"], reason: string): Outcome => ({
    path: entry.path,
    outcome: name,
    kind: entry.kind,
    size: 0,
    reason,
  });
  if (error instanceof NotAFile) return outcome("skipped", `now ${error.what}`);
  if (error instanceof Superseded) return outcome("failed", error.message);
  if (error instanceof ChangedWhileReading) return outcome("failed", `changed while reading, ${READS} times`);
  // Of the file, or of a socket for it: both are of this process.
  if (isOutOfHandles(error)) return outcome("failed", fileError(error.code ?? ""));
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const syscall = (error as NodeJS.ErrnoException | undefined)?.syscall;
  if (syscall !== undefined && typeof code === "string" && classify(error) === "other") {
    if (code === "ENOENT" || code === "ENOTDIR") return outcome("vanished", "gone when it was to be copied");
    if (code === "ELOOP") return outcome("skipped", "now a symbolic link");
    return outcome("failed", fileError(code));
  }
  if (error instanceof FileTimeout) return outcome("failed", error.message);
  if (classify(error) === "invalid" || classify(error) === "conflict") {
    return outcome("failed", error instanceof Error ? error.message.split("\n", 1)[0]! : String(error));
  }
  throw error;
}
