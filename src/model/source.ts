/** Where the content of an item is: the blob itself under an ETag, or one of its snapshots or versions. */
export interface Source {
  /** Bytes; a link's target has some, though its size in the tree is 0. */
  length: number;
  etag?: string;
  snapshot?: string;
  versionId?: string;
  /** Others set the blob's headers, and thereby took its MD5: only reading it shows whether it is the content. */
  unhashed?: true;
}
