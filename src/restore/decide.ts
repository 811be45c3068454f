import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { hasTime } from "../files/file-times.ts";
import { NotADirectory } from "../files/pinned-directory.ts";
import { kindOf } from "../files/read-file.ts";
import { withTimeout } from "../files/timeout.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import { isContent } from "../model/content.ts";
import type { Outcome } from "../model/outcome.ts";
import type { DiskPath } from "../model/path.ts";
import type { RestoreRequest } from "./request.ts";

export const NOT_EMPTY = 'a directory that is not empty is in its place; it is removed only with "delete"';

interface DecideContext extends Pick<RestoreRequest, "overwrite"> {
  fileTimeoutMs: number;
}

/** What to do with what is at an item's place. */
export type Decision = "create" | "replace" | "keep" | { outcome: "unchanged" | "skipped"; reason?: string };

/** What to do with an item, by what is at its place. @param current that; undefined if there is nothing */
export async function decide(
  item: PlannedItem,
  at: DiskPath,
  current: Stats | undefined,
  context: DecideContext,
): Promise<Decision> {
  if (!current) return "create";
  const { overwrite } = context;
  const same = await fileOperation(context, "looking it up", isSame(item, at, current));
  if (overwrite === "never") {
    if (same) return { outcome: "unchanged" };
    const what = current.isFile() ? "a file" : kindOf(current);
    return { outcome: "skipped", reason: `${what} is there already, and overwrite is "never"` };
  }
  // A directory or a link has nothing besides what was compared.
  if (same && (overwrite === "changed" || item.kind !== "file")) return "keep";
  return "replace";
}

/** Whether a directory is in the place of a file or link. */
export function isInTheWay({ kind }: PlannedItem, current: Stats | undefined): boolean {
  return kind !== "directory" && current?.isDirectory() === true;
}

/** Why to leave out an item whose directory cannot be opened. @throws the error, if that is a failure */
export function whyLeftOut(error: unknown, overwrite: RestoreRequest["overwrite"]): string {
  if (overwrite === "never" && isReplaceable(error)) return `${error.message}, and overwrite is "never"`;
  throw error;
}

/** Whether what is in the place of a directory may be replaced; a link never is. */
export function isReplaceable(error: unknown): error is NotADirectory {
  return error instanceof NotADirectory && !error.isLink;
}

/** Waits for a file operation, but not forever; see withTimeout. */
export async function fileOperation<T>(
  { fileTimeoutMs }: { fileTimeoutMs: number },
  what: string,
  operation: Promise<T>,
): Promise<T> {
  return await withTimeout(operation, fileTimeoutMs, what);
}

export function done(item: PlannedItem, outcome: "copied" | "unchanged" | "skipped"): Outcome {
  const { path, kind, size, mtime, mode, md5 } = item;
  return { path, outcome, kind, size, mtime, mode, ...(md5 === undefined ? {} : { md5 }) };
}

export function skipped(item: PlannedItem, reason: string): Outcome {
  return { ...done(item, "skipped"), size: 0, reason };
}

/** What is at a place, without following a link; undefined if there is nothing. */
export async function lookUp(at: DiskPath): Promise<Stats | undefined> {
  try {
    return await lstat(at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether what is at an item's place is what the run has, judged by size and time. */
export async function isSame(item: PlannedItem, at: DiskPath, current: Stats): Promise<boolean> {
  switch (item.kind) {
    case "file":
      return current.isFile() && current.size === item.size && hasTime(current, item.mtime);
    case "directory":
      return current.isDirectory();
    case "link":
      return current.isSymbolicLink() && isContent(item, await readlink(at, { encoding: "buffer" }));
  }
}
