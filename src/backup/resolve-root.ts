import { stat } from "node:fs/promises";
import path from "node:path";
import { fileError } from "../files/file-error.ts";
import { kindOf } from "../files/read-file.ts";
import { realPath } from "../files/real-path.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";
import { forDisk } from "../model/path.ts";

/** A root's real path, or why it cannot be backed up. */
export async function resolveRoot(
  root: string,
  timeoutMs: number,
): Promise<{ realRoot: string } | { problem: string }> {
  if (path.win32.isAbsolute(root) && !path.isAbsolute(root)) {
    return {
      problem: `The directory ${root} is a path on Windows, and this host runs on ${process.platform}.`,
    };
  }
  try {
    const realRoot = await withTimeout(realPath(root), timeoutMs, "looking it up");
    const stats = await withTimeout(stat(forDisk(realRoot)), timeoutMs, "looking it up");
    if (!stats.isDirectory()) {
      return { problem: `${root} is ${stats.isFile() ? "a file" : kindOf(stats)}, not a directory.` };
    }
    return { realRoot };
  } catch (error) {
    if (error instanceof FileTimeout)
      return { problem: `The directory ${root} cannot be read: ${error.message}.` };
    return { problem: rootProblem(root, (error as NodeJS.ErrnoException).code ?? String(error)) };
  }
}

/** The message for an error on the root itself. */
export function rootProblem(root: string, code: string): string {
  if (code === "ENOENT") return `The directory ${root} does not exist.`;
  if (code === "ENOTDIR") return `${root} is not a directory: part of the path is a file.`;
  if (code === "EACCES" || code === "EPERM") {
    return `The app has no permission to read the directory ${root} (${code}). Allow its user to list it.`;
  }
  return `The directory ${root} cannot be read: ${fileError(code)}.`;
}
