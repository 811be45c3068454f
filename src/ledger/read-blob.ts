import type { BlobClient } from "@azure/storage-blob";
import { classify, TooLarge } from "../storage/errors.ts";
import { readChecked, type Checked } from "../storage/read-checked.ts";
import { DamagedRecord } from "./damaged.ts";

const MIB = 1024 * 1024;

/** Most bytes of a single object, such as a summary, a listing, a claim or a lock: usually 10 KiB, 300 with long filters. */
export const MOST_OF_ONE = MIB;
/** Most bytes of many lines: the 100,000 files that a listing has at most, with paths of 1,000 characters. */
export const MOST_OF_MANY = 128 * MIB;
/** Most characters of a line: a path of 4,096, each escaped, and the rest. */
export const LONGEST_LINE = 64 * 1024;

/**
 * Reads a blob of the ledger in one request, so that its content is of one version even if it is being written.
 * @param most bytes; a larger blob is not read
 * @returns undefined if there is none
 * @throws DamagedRecord if it is larger than `most`
 */
export async function readBlob(
  blob: BlobClient,
  most: number,
): Promise<(Omit<Checked, "content"> & { text: string }) | undefined> {
  try {
    const { content, ...rest } = await readChecked(blob, undefined, { most });
    return { text: content.toString("utf8"), ...rest };
  } catch (error) {
    if (error instanceof TooLarge) throw new DamagedRecord(blob.name, error.message);
    if (classify(error) === "missing") return undefined;
    throw error;
  }
}
