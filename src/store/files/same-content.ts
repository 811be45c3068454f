import type { BlockBlobClient } from "@azure/storage-blob";
import { classify } from "../../storage/errors.ts";
import { withRetries } from "../../storage/retries.ts";
import type { Entry } from "../../model/entry.ts";

/**
 * The MD5 that an entry's content must have to be unchanged; undefined if the blob has none, or another type or size.
 * @param size of the content, in bytes
 */
export function md5ToMatch({ kind, existing }: Entry, size: number): string | undefined {
  return existing?.kind === kind && existing.size === size ? existing.md5 : undefined;
}

/**
 * Whether an entry's blob has its content already. If only the marks are out of date, they are updated, so that the next run
 * need not read the file again.
 * @param content `md5` in base64
 * @param metadata what the blob's marks should be
 */
export async function hasContent(
  entry: Entry,
  content: { md5: string; size: number },
  blob: () => BlockBlobClient,
  metadata: Record<string, string>,
): Promise<boolean> {
  const { existing } = entry;
  if (!existing || content.md5 !== md5ToMatch(entry, content.size)) return false;
  if (!existing.stale) return true;
  const conditions = { ifMatch: existing.etag };
  try {
    await withRetries((abortSignal) => blob().setMetadata(metadata, { abortSignal, conditions }));
    return true;
  } catch (error) {
    const failure = classify(error);
    // The blob may be leased, but the content is there.
    if (failure === "held") return true;
    if (failure === "conflict" || failure === "missing") return false;
    throw error;
  }
}
