import type { BlobClient, BlobGetPropertiesResponse } from "@azure/storage-blob";
import { classify } from "./errors.ts";
import { withRetries } from "./retries.ts";

/** A blob's properties now; undefined if there is none. */
export async function propertiesOf(blob: BlobClient): Promise<BlobGetPropertiesResponse | undefined> {
  try {
    return await withRetries((abortSignal) => blob.getProperties({ abortSignal }));
  } catch (error) {
    if (classify(error) === "missing") return undefined;
    throw error;
  }
}
