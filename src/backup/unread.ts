/** Outcomes of names and directories that could not be read. */
import { fileError } from "../files/file-error.ts";
import { NotADirectory } from "../files/pinned-directory.ts";
import { NotAFile } from "../files/read-file.ts";
import { FileTimeout } from "../files/timeout.ts";
import { failed, type Outcome } from "../model/outcome.ts";

/** The outcome of a name that could not be looked up. */
export function unknownName(portable: string, error: unknown): Outcome {
  const { code } = error as NodeJS.ErrnoException;
  const base = { path: portable, kind: "file" as const, size: 0 };
  if (error instanceof NotAFile) return { ...base, kind: "other", outcome: "skipped", reason: error.what };
  if (code === "ENOENT" || code === "ENOTDIR") {
    return { ...base, outcome: "vanished", reason: "gone when it was looked up" };
  }
  const reason = error instanceof FileTimeout ? error.message : fileError(code ?? String(error));
  return { ...base, outcome: "failed", reason };
}

/** The outcome of a directory that could not be read, which stands for everything in it. */
export function unreadDirectory(portable: string, error: unknown): Outcome {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") {
    const reason = "the directory was gone before it was read";
    return { path: portable, kind: "other", size: 0, outcome: "vanished", reason };
  }
  const replaced = error instanceof NotAFile || error instanceof NotADirectory;
  const why = replaced
    ? "it, or a directory above it, was replaced meanwhile"
    : error instanceof FileTimeout
      ? error.message
      : fileError(code ?? String(error));
  return failed({ path: portable, kind: "directory" }, `the directory could not be read: ${why}`);
}
