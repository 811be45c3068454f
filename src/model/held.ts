/** Why a blob cannot be written, read or deleted, other than a conflict or a bad request. */
export type Held = "leased" | "archived" | "ofOtherType" | "immutable" | "beingCopied" | "hasSnapshots";

/** Continues "its blob …": the reason and what to do. */
const WORDS: Record<Held, string> = {
  leased:
    "is leased by another program; wait until that is done, or break the lease (az storage blob lease break)",
  archived:
    "is in the archive tier, where it can be neither read nor written over; move it to another tier first " +
    "(az storage blob set-tier --tier Hot), which takes hours, or delete it",
  ofOtherType: "is a page or append blob of another program; give the backup another container or prefix",
  immutable: "is protected by an immutability policy or a legal hold of its container",
  hasSnapshots: "has new snapshots by another program; the next prune deletes them with it",
  beingCopied: "is being written by a server-side copy; wait until that is done, or abort it",
};

/**
 * The service's error codes for these: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
const CODES: Record<string, Held> = {
  LeaseIdMissing: "leased",
  BlobArchived: "archived",
  BlobBeingRehydrated: "archived",
  InvalidBlobType: "ofOtherType",
  BlobImmutableDueToPolicy: "immutable",
  SnapshotsPresent: "hasSnapshots",
  PendingCopyOperation: "beingCopied",
};

/** What a 409 or 412 says of the blob; undefined if it says something else. */
export function heldByCode(code: string | undefined): Held | undefined {
  return code === undefined ? undefined : CODES[code];
}

/** What a listing or the blob's properties say of it. */
export function heldByProperties(properties: {
  leaseStatus?: string | undefined;
  accessTier?: string | undefined;
  blobType?: string | undefined;
}): Held | undefined {
  const { leaseStatus, accessTier, blobType = "BlockBlob" } = properties;
  if (blobType !== "BlockBlob") return "ofOtherType";
  if (accessTier === "Archive") return "archived";
  return leaseStatus === "locked" ? "leased" : undefined;
}

/** The end of a sentence about a blob: why it cannot be used, and what to do. */
export function whatHolds(held: Held): string {
  return WORDS[held];
}
