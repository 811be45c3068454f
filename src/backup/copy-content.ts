import { awaitingHandles, fileError, isOutOfHandles } from "../files/errors.ts";
import { lookAtDirectory, readLink } from "../files/in-directory.ts";
import { ChangedWhileReading, Endless, locate, NotAFile, OpenFile } from "../files/read-file.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";
import { isContent } from "../model/content.ts";
import { attributesOf, type Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import { fromBytes } from "../model/path.ts";
import type { Budget } from "../storage/budget.ts";
import { classify } from "../storage/errors.ts";
import { NotStored, SendAgain, type Put } from "../store/storing.ts";

/** Times to read a file that changes while it is read. */
export const READ_TRIES = 3;

export interface Reading {
  realRoot: string;
  fileTimeoutMs: number;
  budget: Budget;
}

/** Copies a file that is held open. Tries again, a few times, if the file changes while it is read. */
export async function copyOpened(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
  for (let read = 1; ; read++) {
    const file = await openToCopy(entry, reading);
    try {
      if (await OpenFile.settle(file.stats)) await file.assertUnchanged();
      return await put.file(file);
    } catch (error) {
      const again = error instanceof ChangedWhileReading || error instanceof SendAgain;
      if (!again || read === READ_TRIES) throw error;
    } finally {
      await file.close();
    }
  }
}

/** Opens a file of the tree. @throws NotAFile, FileTimeout, or the file system's error */
export async function openToCopy(
  entry: Pick<Entry, "path">,
  { realRoot, fileTimeoutMs }: Omit<Reading, "budget">,
): Promise<OpenFile> {
  const file = locate(realRoot, entry.path);
  return await awaitingHandles(() => OpenFile.open(file, realRoot, fileTimeoutMs));
}

/** Copies a link, whose content is its target, or an empty directory, which has none. */
export async function copySpecial(
  { path, kind }: Entry,
  put: Put,
  { realRoot, fileTimeoutMs }: Reading,
): Promise<Outcome> {
  if (kind === "link") {
    const { target, stats } = await withTimeout(readLink(realRoot, path), fileTimeoutMs, "reading it");
    const outcome = await put.content({ content: target, attributes: attributesOf(stats) });
    // Another attempt may have stored what the link was before.
    return isContent(outcome, target) ? { ...outcome, target: fromBytes(target) } : outcome;
  }
  const stats = await withTimeout(lookAtDirectory(realRoot, path), fileTimeoutMs, "looking it up");
  return await put.content({ content: Buffer.alloc(0), attributes: attributesOf(stats) });
}

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
  if (error instanceof ChangedWhileReading)
    return outcome("failed", `changed while reading, ${READ_TRIES} times`);
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
