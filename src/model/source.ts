/** Where an item's content is: the blob itself under an ETag, or one of its snapshots or versions. */
export interface Source {
  /** Bytes; for a link, of its target, though its size in the tree is 0. */
  length: number;
  etag?: string;
  snapshot?: string;
  versionId?: string;
  /**
   * Another program set the blob's headers and thereby removed its MD5: only reading it shows whether it is the
   * content.
   */
  unhashed?: true;
}
