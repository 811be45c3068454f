import { open, rename, unlink, type FileHandle } from "node:fs/promises";
import { ignore, NEW_FILE } from "../files/pinned-directory.ts";
import { tidyInTime, withTimeout } from "../files/timeout.ts";
import { writeSparse } from "../files/write-sparse.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import type { DiskPath } from "../model/path.ts";
import type { Read } from "../store/fetching.ts";
import { finish } from "./attributes.ts";
import { fileOperation } from "./decide.ts";
import { makeLink } from "./make-special.ts";
import { temporaryName, type RestoreContext } from "./restore-context.ts";
import type { Write } from "./restore-file.ts";

/** Writes a content beside its place, then renames it over that, so that readers see the old file or the new one. */
export function writeContent(read: Read): Write {
  return async (item, directory, at, context) => {
    const temporary = directory.path(temporaryName(context.mark));
    return await orRemove(temporary, context, async () => {
      const note = await writeTemporary(temporary, read, item, context, { flush: true });
      await fileOperation(context, "renaming it", rename(temporary, at));
      return note;
    });
  };
}

/**
 * Only writes it beside its place, and leaves the flush of a file on `device` and the renaming to the caller.
 * @param written gets the temporary file's name by the item's path
 */
export function writeBeside(read: Read, device: number, written: Map<string, string>): Write {
  return async (item, directory, _at, context) => {
    const name = temporaryName(context.mark);
    const temporary = directory.path(name);
    const { dev } = await fileOperation(context, "looking at its directory", directory.stat());
    const how = { flush: dev !== device };
    const note = await orRemove(temporary, context, () =>
      writeTemporary(temporary, read, item, context, how),
    );
    written.set(item.path, name);
    return note;
  };
}

async function orRemove<T>(
  temporary: DiskPath,
  { fileTimeoutMs }: RestoreContext,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await tidyInTime(unlink(temporary).catch(ignore("ENOENT")), fileTimeoutMs);
    throw error;
  }
}

async function writeTemporary(
  temporary: DiskPath,
  read: Read,
  item: PlannedItem,
  context: RestoreContext,
  { flush }: { flush: boolean },
): Promise<string | undefined> {
  if (item.kind === "link") return await makeLink(temporary, read, item, context);
  const handle = await create(temporary, context);
  try {
    await read((bytes, position) =>
      fileOperation(context, "writing it", writeSparse(handle, bytes, position)),
    );
    return await fileOperation(context, "flushing it", finish(handle, item, { ...context, flush }));
  } finally {
    await tidyInTime(handle.close(), context.fileTimeoutMs);
  }
}

async function create(temporary: DiskPath, { fileTimeoutMs }: RestoreContext): Promise<FileHandle> {
  return await withTimeout(open(temporary, NEW_FILE, 0o600), fileTimeoutMs, "creating it", async (late) => {
    await late.close();
    await unlink(temporary);
  });
}
