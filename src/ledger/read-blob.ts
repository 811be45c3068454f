import type { BlobClient } from "@azure/storage-blob";
import { classify, TooLarge } from "../storage/errors.ts";
import { readChecked, type Checked } from "../storage/read-checked.ts";
import { DamagedRecord } from "./damaged.ts";

const MIB = 1024 * 1024;

/** Bytes of a record that is one object: a run's summary, a listing, a claim, a lock. They have some 10 KiB, with long filters 300. */
export const MOST_OF_ONE = MIB;
/** Bytes of a record of many lines, or of many names: 100,000 files, the most of a listing, with paths of 1,000 characters. */
export const MOST_OF_MANY = 128 * MIB;
/** Characters of a line: a path of 4,096 characters, each escaped, and what else there is to say. */
export const LONGEST_LINE = 64 * 1024;

/**
 * A blob of the ledger, read in one request, so that the content is all of one version when somebody writes it meanwhile.
 * @returns undefined when there is none
 * @throws DamagedRecord of one that is larger than such a record can be, which is not read
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
