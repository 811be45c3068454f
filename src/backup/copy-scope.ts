import type { Basis, ListingOwn } from "../ledger/listing.ts";
import type { BackupRequest } from "./request.ts";

/** Where a backup reads and writes, and how. Activities get it from the orchestration, never from a record. */
export interface CopyScope {
  /** The root as the request names it, which blobs carry in their metadata. */
  root: string;
  /** Its real path. */
  realRoot: string;
  container: string;
  prefix: string;
  basis: Basis;
}

export function copyScope(
  { root, container, prefix }: BackupRequest,
  { realRoot, ...basis }: ListingOwn,
): CopyScope {
  return { root, realRoot, container, prefix, basis };
}
