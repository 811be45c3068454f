import type { Entry } from "../model/entry.ts";
import { awaitingHandles } from "../files/handles.ts";
import { locate, OpenFile } from "../files/read-file.ts";

/** Opens a file of the tree. @throws NotAFile, FileTimeout, or the file system's error */
export async function openToCopy(
  entry: Pick<Entry, "path">,
  { realRoot, fileTimeoutMs }: { realRoot: string; fileTimeoutMs: number },
): Promise<OpenFile> {
  const file = locate(realRoot, entry.path);
  return await awaitingHandles(() => OpenFile.open(file, realRoot, fileTimeoutMs));
}
