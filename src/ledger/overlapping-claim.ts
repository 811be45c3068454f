import type { BlobServiceClient } from "@azure/storage-blob";
import { layoutIn, type Layout } from "../model/layout.ts";
import { isBeingStarted } from "./alive.ts";
import { overlappingClaims, writeClaim, type Claim, type Destination } from "./claim.ts";
import { hasBackups } from "./standing-backups.ts";

/** Whether the run of a claim is still running; undefined if it is not known. */
export type IsActive = (run: string, claim: Pick<Claim, "app" | "since">) => Promise<boolean | undefined>;

/** Whether a run writes to the destination, or is about to. */
export async function isHeld(claim: Claim, isActive: IsActive): Promise<boolean> {
  if (claim.run === null) return false;
  return (await isActive(claim.run, claim)) ?? isBeingStarted(claim.since);
}

/**
 * A destination that conflicts with this one: one of the two lies within the other, and one has the layout `packs`. If it is
 * empty and not being written, its claim becomes unsettled instead: its next run looks again.
 */
export async function overlappingDestination(
  service: BlobServiceClient,
  { container, prefix, layout }: Destination & { layout: Layout },
  isActive: IsActive,
): Promise<(Destination & { layout: Layout }) | undefined> {
  for (const { content: claim, etag } of await overlappingClaims(service, { container, prefix })) {
    if (layout === "files" && layoutIn(claim) === "files") continue;
    const isEmpty = !(await isHeld(claim, isActive)) && !(await hasBackups(service, claim));
    if (isEmpty && (await unsettle(service, { claim, etag }))) continue;
    return { container, prefix: claim.prefix, layout: layoutIn(claim) };
  }
  return undefined;
}

/** @returns false if somebody has written the claim since it was read */
async function unsettle(
  service: BlobServiceClient,
  { claim, etag }: { claim: Claim; etag: string },
): Promise<boolean> {
  if (claim.unsettled && claim.run === null) return true;
  return await writeClaim(service, { ...claim, run: null, unsettled: true }, { etag });
}
