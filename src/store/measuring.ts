/** A number of blobs, snapshots or versions, and their bytes. */
export interface Amount {
  blobs: number;
  bytes: number;
}

/** What lies in a destination. */
interface Stored {
  /** What the product wrote, as it is now. */
  current: Amount;
  /** What it wrote before that and is kept: snapshots and versions. */
  old: Amount;
  /** What others wrote. */
  others: Amount;
}

/** What there is to know of a destination's size. */
export interface Measuring {
  /**
   * Measures everything in a destination, one list call a page; `next` is undefined on the last page.
   * @param from `next` of a page, or undefined for the first
   * @throws storage errors, after retries
   */
  stored(from: string | undefined): AsyncIterable<{ stored: Stored; next: string | undefined }>;
}

/** Adds up blobs. @param whose what each of them counts as */
export function sumOf<Blob extends { size: number }>(
  blobs: readonly Blob[],
  whose: (blob: Blob) => keyof Stored,
): Stored {
  const none = (): Amount => ({ blobs: 0, bytes: 0 });
  const stored: Stored = { current: none(), old: none(), others: none() };
  for (const blob of blobs) {
    const amount = stored[whose(blob)];
    amount.blobs++;
    amount.bytes += blob.size;
  }
  return stored;
}
