import { awaitingHandles } from "../files/handles.ts";
import { ChangedWhileReading, locate, OpenFile } from "../files/read-file.ts";
import type { Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import { SendAgain, type Put } from "../store/storing.ts";
import { READS } from "./copy-outcome.ts";
import type { Reading } from "./reading.ts";

/** Copies a file that is held open. Tries again, a few times, if the file changes while it is read. */
export async function copyOpened(entry: Entry, put: Put, reading: Reading): Promise<Outcome> {
  for (let read = 1; ; read++) {
    const file = await openToCopy(entry, reading);
    try {
      if (await OpenFile.settle(file.stats)) await file.assertUnchanged();
      return await put.file(file);
    } catch (error) {
      const again = error instanceof ChangedWhileReading || error instanceof SendAgain;
      if (!again || read === READS) throw error;
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
