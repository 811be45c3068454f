import { setTimeout as sleep } from "node:timers/promises";
import type { CopyContext } from "./copy-context.ts";
import type { Entry } from "./entry.ts";
import { locate, OpenFile } from "./read-file.ts";
import { withTimeout } from "./timeout.ts";

/**
 * Opens a file; while the process has no file handles left again and again, with fewer files at a time, for as long as
 * a file operation may take: others close theirs meanwhile.
 */
export async function openPatiently(entry: Entry, context: CopyContext): Promise<OpenFile> {
  const deadline = performance.now() + context.fileTimeoutMs;
  for (let opened = 1; ; opened++) {
    try {
      return await openToCopy(entry, context);
    } catch (error) {
      if (!isOutOfHandles(error) || performance.now() > deadline) throw error;
      context.budget.outOfHandles();
      await sleep(Math.min(1_000, 200 * opened));
    }
  }
}

function isOutOfHandles(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(String((error as NodeJS.ErrnoException | undefined)?.code));
}

/** Opens a file of the tree. @throws NotAFile, FileTimeout, or the file system's error */
export async function openToCopy(
  entry: Entry,
  { realRoot, fileTimeoutMs }: Pick<CopyContext, "realRoot" | "fileTimeoutMs">,
): Promise<OpenFile> {
  const opening = OpenFile.open(locate(realRoot, entry.path), realRoot);
  return await withTimeout(opening, fileTimeoutMs, "opening it", (late) => void late.close());
}
