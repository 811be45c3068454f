import { createHash } from "node:crypto";
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
 * Writes a blob with a unique or content-derived name, unless it exists.
 * @returns whether this call wrote it; false also if the answer to its first try was lost
 */
export async function putOnce(
  requests: PutBlobRequests,
  name: string,
  content: readonly Buffer[],
  { contentType = "application/octet-stream", over, patience }: How = {},
): Promise<boolean> {
  const conditions = over === undefined ? { ifNoneMatch: "*" } : { ifMatch: over };
  const md5 = createHash("md5");
  for (const piece of content) md5.update(piece);
  const blob = { name, content, md5: md5.digest("base64"), contentType, metadata: {}, conditions };
  try {
    await retrying((timeout) => requests.put(blob, timeout), lengthOf(content), patience);
    return true;
  } catch (error) {
    if (classify(error) !== "conflict") throw error;
    return false;
  }
}

export function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
