import { rmdir, unlink } from "node:fs/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import { setTime } from "../files/file-times.ts";
import { openOwn } from "../files/own-directory.ts";
import { ignore } from "../files/pinned-directory.ts";
import { mtimeOf } from "../model/entry.ts";
import type { Settings } from "../settings.ts";
import { attributesAt } from "./attributes.ts";
import type { Eraser } from "./extra-walk.ts";
import { handleExtra, type Slice, type SliceRef } from "./extra.ts";

/** Removes what the target has and the run has not; see handleExtra. */
export async function deleteExtra(
  ref: SliceRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Slice> {
  return await handleExtra(ref, service, settings, eraser);
}

const eraser: Eraser = {
  open: openOwn,
  async remove(from, name, kind) {
    const at = from.path(name);
    await (kind === "file" ? unlink(at) : rmdir(at)).catch(ignore("ENOENT"));
  },
  // An empty directory got its time when it was restored, before this.
  async keepTime(directory, before) {
    await setTime(attributesAt(directory), mtimeOf(before));
  },
};
