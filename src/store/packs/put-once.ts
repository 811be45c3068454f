import { md5 } from "../../model/md5.ts";
import { classify } from "../../storage/errors.ts";
import type { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { retrying } from "../../storage/retries.ts";

interface How {
  contentType?: string;
  /** The ETag of the blob to overwrite. Without it there must be none. */
  over?: string | undefined;
  /** Milliseconds to wait for a socket's handle; see retrying. */
  patience?: number;
}

/**
 * Writes a blob whose name says what it holds, or that nobody else uses, unless it is there.
 * @returns whether this call wrote it; false also if the answer to its first try was lost
 */
export async function putOnce(
  requests: PutBlobRequests,
  name: string,
  content: Buffer,
  { contentType = "application/octet-stream", over, patience }: How = {},
): Promise<boolean> {
  const conditions = over === undefined ? { ifNoneMatch: "*" } : { ifMatch: over };
  const blob = { name, content, md5: md5(content).toString("base64"), contentType, metadata: {}, conditions };
  try {
    await retrying((timeout) => requests.put(blob, timeout), content.length, patience);
    return true;
  } catch (error) {
    if (classify(error) !== "conflict") throw error;
    return false;
  }
}
