import path from "node:path";
import { awaitingHandles } from "../files/errors.ts";
import type { PinnedDirectory } from "../files/pinned-directory.ts";
import { tidyInTime, withTimeout } from "../files/timeout.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { parentPath, type DiskPath } from "../model/path.ts";
import { unsafePath } from "../model/safe-path.ts";
import { Corrupt } from "../store/fetching.ts";
import { adjust } from "./attributes.ts";
import { decide, done, fileOperation, isInTheWay, lookUp, NOT_EMPTY, skipped, whyLeftOut } from "./decide.ts";
import { makeDirectories } from "./make-directories.ts";
import { makeDirectory, removeDirectory } from "./make-special.ts";
import type { RestoreContext } from "./restore-context.ts";
import { failedOf } from "./restore-error.ts";

/** Tries in all if the content arrives damaged, or somebody else changes the directory or the temporary file. */
export const TRIES = 3;

/**
 * Restores one file, link or empty directory, and returns its outcome.
 * @param quickly a faster way to do it; returns undefined if it must be done the usual way
 * @throws CannotWrite, and storage errors that concern more than this file
 */
export async function restoreItem(
  item: PlannedItem,
  context: RestoreContext,
  write: Write,
  quickly: () => Promise<Outcome | undefined> = async () => undefined,
): Promise<Outcome> {
  const unsafe = unsafePath(item.path);
  if (unsafe !== undefined) return failed(item, unsafe);
  for (let tries = 1; ; tries++) {
    try {
      return await awaitingHandles(async () => (await quickly()) ?? (await place(item, context, write)));
    } catch (error) {
      const again = (error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof Corrupt;
      if (!again || tries === TRIES) return failedOf(item, error);
    }
  }
}

/** Writes a content to `at`, its place in the directory. @returns a note, if any */
export type Write = (
  item: PlannedItem,
  directory: PinnedDirectory,
  at: DiskPath,
  context: RestoreContext,
) => Promise<string | void>;

async function place(item: PlannedItem, context: RestoreContext, write: Write): Promise<Outcome> {
  const directory = await parentOf(item, context);
  if (typeof directory === "string") return skipped(item, directory);
  try {
    const at = directory.path(path.posix.basename(item.path));
    const current = await fileOperation(context, "looking it up", lookUp(at));
    const decision = await decide(item, at, current, context);
    if (typeof decision === "object") return { ...done(item, decision.outcome), reason: decision.reason };
    if (decision === "keep") {
      return { ...done(item, "unchanged"), ...noteOf(await adjust(item, at, current!, context)) };
    }
    if (isInTheWay(item, current) && !(await removeDirectory(at, context))) return failed(item, NOT_EMPTY);
    const note =
      item.kind === "directory"
        ? await makeDirectory(item, at, current, context)
        : await write(item, directory, at, context);
    return { ...done(item, "copied"), ...noteOf(note) };
  } finally {
    await tidyInTime(directory.close(), context.fileTimeoutMs);
  }
}

/** The directory that an item belongs in, made if missing; or why the item is left out, as a message. */
export async function parentOf(
  item: PlannedItem,
  { realTo, overwrite, fileTimeoutMs }: RestoreContext,
): Promise<PinnedDirectory | string> {
  const opening = makeDirectories(realTo, parentPath(item.path), overwrite !== "never", item.above);
  try {
    return await withTimeout(opening, fileTimeoutMs, "opening its directory", (late) => late.close());
  } catch (error) {
    return whyLeftOut(error, overwrite);
  }
}

function noteOf(note: string | void): Pick<Outcome, "reason" | "unset"> {
  return note === undefined ? {} : { reason: note, unset: true };
}
