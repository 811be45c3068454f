import { setTimeout as sleep } from "node:timers/promises";
import type { CopyContext } from "./copy-context.ts";
import type { Entry } from "./entry.ts";
import { locate, OpenFile } from "./read-file.ts";
import { withTimeout } from "./timeout.ts";

/** Times a file is opened again while the process has no file handles left: over 13 s, until few enough are open. */
const OPENS = 12;

/** Opens a file, again and with fewer files at a time, when the process has no file handles left. */
export async function openPatiently(entry: Entry, context: CopyContext): Promise<OpenFile> {
  for (let opened = 1; ; opened++) {
    try {
      return await openToCopy(entry, context);
    } catch (error) {
      if (!isOutOfHandles(error) || opened === OPENS) throw error;
      context.budget.outOfHandles();
      await sleep(200 * opened);
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
