import type { RestError } from "@azure/storage-blob";

/** Why only one of two files with the same blob is backed up. */
export const CLASH =
  'its blob is that of another file or empty directory of this backup, as Blob Storage turns "\\" into "/"; rename one of them';

/** Whether a request failed because of uncommitted blocks: somebody else's, or ones that have been discarded. */
export function isAboutBlocks(error: unknown): boolean {
  return ["InvalidBlockList", "InvalidBlobOrBlock"].includes((error as RestError).code ?? "");
}
