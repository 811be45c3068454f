import type { Basis, ListingOwn } from "../ledger/listing.ts";
import type { BackupRequest } from "./request.ts";

/** Where a backup reads and writes, and how: what its activities are given by the orchestration, and take from no record. */
export interface CopyScope {
  /** The root as the request names it: a blob says that it is of that one. */
  root: string;
  /** The same with every link in it followed. */
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
