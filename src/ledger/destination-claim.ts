import type { BlobServiceClient } from "@azure/storage-blob";
import { layoutIn, type Layout } from "../model/names.ts";
import { isSameRoot } from "../model/root-path.ts";
import { isBeingStarted } from "./alive.ts";
import { overlappingClaims, readClaim, writeClaim, type Claim, type Destination } from "./claim.ts";
import { hasBackups, standingRoot } from "./standing-backups.ts";

export type ClaimResult =
  | { claimed: true; layout: Layout }
  /** Another run writes there. */
  | { claimed: false; activeRun: string; app?: string }
  /** The backups there are of another root. */
  | { claimed: false; otherRoot: string }
  /** The backups there have another layout. */
  | { claimed: false; otherLayout: Layout }
  /** Another destination is in the way. */
  | { claimed: false; overlaps: Destination & { layout: Layout } };

/** What a run asks for. */
type Wanted = Pick<Claim, "container" | "prefix" | "root" | "app" | "layout"> & {
  run: string;
  allowOtherRoot: boolean;
};

/**
 * Claims a destination for a run, so that no two runs write to it at a time, no two roots mix, and no other destination overlaps
 * one of the layout `packs`. Each destination has one blob, written under its ETag: of two runs that start at once, one wins. A
 * new claim is written twice, unsettled at first, with a look at all others before each time: of two destinations that overlap
 * and are claimed at once, at least one sees the other.
 * @param wanted the destination's own layout counts if it names none
 * @param otherwise the layout of a destination where there is nothing yet, if it names none
 */
export async function claimDestination(
  service: BlobServiceClient,
  wanted: Wanted,
  otherwise: Layout,
  isActive: IsActive,
): Promise<ClaimResult> {
  const { container, prefix, run, app } = wanted;
  for (;;) {
    const current = await readClaim(service, wanted);
    const claim = current?.content;
    const isOwn = claim?.run === run;
    if (isOwn && !claim.unsettled) return { claimed: true, layout: layoutIn(claim) };
    const found = claim && !isOwn ? await judge(service, claim, wanted, isActive) : {};
    if ("claimed" in found) return found;

    const first = isOwn ? layoutIn(claim) : (wanted.layout ?? otherwise);
    const { root = wanted.root, layout = first } = found;
    const isNew = found.layout === undefined;
    const overlaps =
      isNew && (await overlappingDestination(service, { container, prefix, layout }, isActive));
    if (overlaps) {
      if (isOwn) await writeClaim(service, { ...claim, run: null }, current);
      return { claimed: false, overlaps };
    }
    const next: Claim = {
      container,
      prefix,
      root,
      run,
      ...(app === undefined ? {} : { app }),
      ...(layout === "packs" ? { layout } : {}),
      ...(isNew && !isOwn ? { unsettled: true } : {}),
      since: new Date().toISOString(),
    };
    if ((await writeClaim(service, next, current)) && !next.unsettled) return { claimed: true, layout };
  }
}

/** How an existing claim affects a new run: a refusal, or the destination's owner and layout, or nothing if it is empty. */
async function judge(
  service: BlobServiceClient,
  claim: Claim,
  { root, layout, allowOtherRoot }: Wanted,
  isActive: IsActive,
): Promise<Exclude<ClaimResult, { claimed: true }> | { root?: string; layout?: Layout }> {
  const { run, app, unsettled } = claim;
  if (run !== null && (await isHeld(claim, isActive)))
    return { claimed: false, activeRun: run, ...(app === undefined ? {} : { app }) };
  if (unsettled) return {};
  // The first root remains the owner, even if another root was let in.
  let owner = claim.root;
  if (!isSameRoot(owner, root) && !allowOtherRoot) {
    owner = (await standingRoot(service, claim, owner)) ?? root;
    if (!isSameRoot(owner, root)) return { claimed: false, otherRoot: owner };
  }
  const there = layoutIn(claim);
  if (layout === undefined || layout === there) return { root: owner, layout: there };
  return (await hasBackups(service, claim)) ? { claimed: false, otherLayout: there } : {};
}

/** Releases a run's claim, if it still holds it. */
export async function releaseDestination(
  service: BlobServiceClient,
  run: { id: string } & Destination,
): Promise<void> {
  const current = await readClaim(service, run);
  if (current?.content.run === run.id) await writeClaim(service, { ...current.content, run: null }, current);
}

/** Whether the run of a claim is still running; undefined if it is not known. */
type IsActive = (run: string, claim: Pick<Claim, "app" | "since">) => Promise<boolean | undefined>;

/** Whether a run writes to the destination, or is about to. */
async function isHeld(claim: Claim, isActive: IsActive): Promise<boolean> {
  if (claim.run === null) return false;
  return (await isActive(claim.run, claim)) ?? isBeingStarted(claim.since);
}

/**
 * A destination that conflicts with this one: one of the two lies within the other, and one has the layout `packs`. If it is
 * empty and not being written, its claim becomes unsettled instead: its next run looks again.
 */
async function overlappingDestination(
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
