import type { Basis, ListingOwn } from "../ledger/listing.ts";
import type { Place } from "../store/store.ts";
import type { BackupRequest } from "./request.ts";

/** Where a backup reads and writes, and how. Activities get it from the orchestration, never from a record. */
export interface CopyScope extends Place {
  /** The root as the request names it, which blobs carry in their metadata. */
  root: string;
  realRoot: string;
  basis: Basis;
}

export function copyScope(
  { root, container, prefix }: BackupRequest,
  { realRoot, layout, ...basis }: ListingOwn,
): CopyScope {
  return { root, realRoot, container, prefix, layout, basis };
}
