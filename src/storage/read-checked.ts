import type { Readable } from "node:stream";
import type { BlobClient, BlobGetPropertiesResponse } from "@azure/storage-blob";
import { md5 } from "../model/content.ts";
import { classify, DamagedContent, TooLarge } from "./errors.ts";
import { withRetries } from "./retries.ts";

/** The longest range for which the service computes an MD5. */
export const LONGEST_HASHED_RANGE = 4 * 1024 * 1024;

/** A blob or a range of it, and what the service says about it. */
export interface Checked {
  content: Buffer;
  etag: string;
  leased: boolean;
  /** The service keeps versions of overwritten blobs by itself. */
  versioned: boolean;
  metadata: Record<string, string>;
}

/**
 * Fetches a blob, or a range of it of at most LONGEST_HASHED_RANGE bytes, and checks the MD5 that the service says it
 * has: what was damaged on the way is fetched again. Content that arrives damaged twice in the same way is what the blob
 * holds; it is returned as it is, for the caller to judge.
 * @param options `most`: the most bytes to read
 * @throws TooLarge before anything is read of a blob that has more; errors of the storage client
 */
export async function readChecked(
  blob: BlobClient,
  range?: { offset: number; length: number },
  { most = Infinity }: { most?: number } = {},
): Promise<Checked> {
  let damagedBefore: string | undefined;
  return await withRetries(async (abortSignal) => {
    const response = await blob.download(range?.offset ?? 0, range?.length, {
      abortSignal,
      ...(range ? { rangeGetContentMD5: true } : {}),
    });
    if ((response.contentLength ?? 0) > most) {
      // Stop the download.
      (response.readableStreamBody as Readable | undefined)?.destroy();
      throw new TooLarge(response.contentLength ?? 0, most);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of response.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
    const content = Buffer.concat(chunks);
    const expected = response.contentMD5;
    const hash = md5(content);
    if (expected && !hash.equals(expected)) {
      const came = hash.toString("base64");
      if (came !== damagedBefore) {
        damagedBefore = came;
        throw new DamagedContent();
      }
    }
    const { etag = "", leaseState, metadata = {}, versionId } = response;
    return { content, etag, leased: leaseState === "leased", versioned: versionId !== undefined, metadata };
  }, range?.length);
}

/** A blob's properties now; undefined if there is none. */
export async function propertiesOf(blob: BlobClient): Promise<BlobGetPropertiesResponse | undefined> {
  try {
    return await withRetries((abortSignal) => blob.getProperties({ abortSignal }));
  } catch (error) {
    if (classify(error) === "missing") return undefined;
    throw error;
  }
}
