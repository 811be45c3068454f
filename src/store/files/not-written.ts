import type { RestError } from "@azure/storage-blob";

/** A blob is not to be written over, or cannot be; the message says why, for people. */
export class NotWritten extends Error {}

/** Why of two files with one blob only one is backed up. */
export const CLASH =
  'its blob is that of another file or empty directory of this backup, as Blob Storage turns "\\" into "/"; rename one of them';

/** Somebody else's commit threw away the blocks of a file: they are to be sent again. */
export class BlocksGone extends Error {
  constructor() {
    super("another program writes its blob at the same time");
  }
}

/** Whether a request failed because of the uncommitted blocks that are there, or are not there any more. */
export function isAboutBlocks(error: unknown): boolean {
  return ["InvalidBlockList", "InvalidBlobOrBlock"].includes((error as RestError).code ?? "");
}
