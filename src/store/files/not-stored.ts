import type { RestError } from "@azure/storage-blob";
import { classify, describe } from "../../storage/errors.ts";
import { NotStored } from "../store.ts";

/** Why of two files with one blob only one is backed up. */
export const CLASH =
  'its blob is that of another file or empty directory of this backup, as Blob Storage turns "\\" into "/"; rename one of them';

/** What the service refuses of one blob is no error of the account. */
export async function ofOneBlob<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!["invalid", "conflict", "held"].includes(classify(error))) throw error;
    throw new NotStored(describe(error), { cause: error });
  }
}

/** Whether a request failed because of the uncommitted blocks that are there, or are not there any more. */
export function isAboutBlocks(error: unknown): boolean {
  return ["InvalidBlockList", "InvalidBlobOrBlock"].includes((error as RestError).code ?? "");
}
