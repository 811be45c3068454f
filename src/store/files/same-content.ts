import type { BlockBlobClient } from "@azure/storage-blob";
import type { Entry } from "../../model/entry.ts";
import { classify } from "../../storage/errors.ts";
import { withRetries } from "../../storage/retries.ts";

/**
 * The MD5 that an entry's content must have to be unchanged; undefined if the blob has none, or another type or size.
 * @param size of the content, in bytes
 */
export function md5ToMatch({ kind, existing }: Entry, size: number): string | undefined {
  // The size of a link is not that of its content, its target.
  const isSame = existing?.kind === kind && (kind === "link" || existing.size === size);
  return isSame ? existing.md5 : undefined;
}

/**
 * Finds out whether an entry's blob has its content already. If only the marks are out of date, they are updated, so that the
 * next run need not read the file again.
 * @param content `md5` in base64
 * @param metadata what the blob's marks should be
 * @returns the blob's ETag if it has
 */
export async function hasContent(
  entry: Entry,
  content: { md5: string; size: number },
  blob: () => BlockBlobClient,
  metadata: Record<string, string>,
): Promise<string | undefined> {
  const { existing } = entry;
  if (!existing || content.md5 !== md5ToMatch(entry, content.size)) return undefined;
  if (!existing.stale) return existing.etag;
  const conditions = { ifMatch: existing.etag };
  try {
    const { etag } = await withRetries((abortSignal) =>
      blob().setMetadata(metadata, { abortSignal, conditions }),
    );
    return etag ?? existing.etag;
  } catch (error) {
    const failure = classify(error);
    // The blob may be leased, but the content is there.
    if (failure === "held") return existing.etag;
    if (failure === "conflict" || failure === "missing") return undefined;
    throw error;
  }
}
