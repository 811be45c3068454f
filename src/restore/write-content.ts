import { constants } from "node:fs";
import { open, rename, unlink, type FileHandle } from "node:fs/promises";
import { ignore } from "../files/pinned-directory.ts";
import { tidyInTime, withTimeout } from "../files/timeout.ts";
import { writeSparse } from "../files/write-sparse.ts";
import type { Read } from "../store/fetching.ts";
import { finish } from "./attributes.ts";
import { fileOperation } from "./decide.ts";
import { makeLink } from "./make-link.ts";
import type { DiskPath } from "../model/path.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import type { RestoreContext } from "./restore-context.ts";
import type { Write } from "./restore-file.ts";
import { temporaryName } from "./temporary-name.ts";

/** Writes a content beside its place, then renames it over that, so that readers see the old file or the new one. */
export function writeContent(read: Read): Write {
  return async (item, directory, at, context) => {
    const temporary = directory.path(temporaryName(context.mark));
    const handle = item.kind === "link" ? undefined : await create(temporary, context);
    try {
      const note = handle
        ? await fill(handle, read, item, context)
        : await makeLink(temporary, read, item, context);
      await fileOperation(context, "renaming it", rename(temporary, at));
      return note;
    } catch (error) {
      await tidyInTime(unlink(temporary).catch(ignore("ENOENT")), context.fileTimeoutMs);
      throw error;
    }
  };
}

async function create(temporary: DiskPath, { fileTimeoutMs }: RestoreContext): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  return await withTimeout(open(temporary, flags, 0o600), fileTimeoutMs, "creating it", async (late) => {
    await late.close();
    await unlink(temporary);
  });
}

async function fill(
  handle: FileHandle,
  read: Read,
  item: PlannedItem,
  context: RestoreContext,
): Promise<string | undefined> {
  try {
    await read((bytes, position) =>
      fileOperation(context, "writing it", writeSparse(handle, bytes, position)),
    );
    return await fileOperation(context, "flushing it", finish(handle, item, context));
  } finally {
    await tidyInTime(handle.close(), context.fileTimeoutMs);
  }
}
