import { classify } from "../storage/errors.ts";
import type { Entry } from "../model/entry.ts";
import { fileError } from "../files/file-error.ts";
import { isOutOfHandles } from "../files/handles.ts";
import { NotStored } from "../store/storing.ts";
import type { Outcome } from "../model/outcome.ts";
import { ChangedWhileReading, Endless, NotAFile } from "../files/read-file.ts";
import { FileTimeout } from "../files/timeout.ts";

/** Times to read a file that changes while it is read. */
export const READS = 3;

/** The outcome for an error that concerns this file alone. @throws any other error */
export function errorOutcome(entry: Entry, error: unknown): Outcome {
  const outcome = (name: Outcome["outcome"], reason: string): Outcome => ({
    path: entry.path,
    outcome: name,
    kind: entry.kind,
    size: 0,
    reason,
  });
  if (error instanceof NotAFile) return outcome("skipped", `now ${error.what}`);
  if (error instanceof NotStored || error instanceof Endless) return outcome("failed", error.message);
  if (error instanceof ChangedWhileReading) return outcome("failed", `changed while reading, ${READS} times`);
  // The same message whether the file or a socket got no handle: the cause is this process.
  if (isOutOfHandles(error)) return outcome("failed", fileError(error.code ?? ""));
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const syscall = (error as NodeJS.ErrnoException | undefined)?.syscall;
  if (syscall !== undefined && typeof code === "string" && classify(error) === "other") {
    if (code === "ENOENT" || code === "ENOTDIR") return outcome("vanished", "gone before it was copied");
    if (code === "ELOOP") return outcome("skipped", "now a symbolic link");
    return outcome("failed", fileError(code));
  }
  if (error instanceof FileTimeout) return outcome("failed", error.message);
  throw error;
}
