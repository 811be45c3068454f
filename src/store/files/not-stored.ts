import type { RestError } from "@azure/storage-blob";
import { classify, describe } from "../../storage/errors.ts";
import { NotStored } from "../storing.ts";

/** Why only one of two files with the same blob is backed up. */
export const CLASH =
  'its blob is that of another file or empty directory of this backup, as Blob Storage turns "\\" into "/"; rename one of them';

/** Turns what the service refuses for one blob into NotStored. @throws any other error */
export async function ofOneBlob<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!["invalid", "conflict", "held"].includes(classify(error))) throw error;
    throw new NotStored(describe(error), { cause: error });
  }
}

/** Whether a request failed because of uncommitted blocks: somebody else's, or ones that have been discarded. */
export function isAboutBlocks(error: unknown): boolean {
  return ["InvalidBlockList", "InvalidBlobOrBlock"].includes((error as RestError).code ?? "");
}
