import { layoutOf, type Destination } from "../ledger/claim.ts";
import type { ClaimResult } from "../ledger/destination-claim.ts";
import type { Layout } from "../model/names.ts";
import type { Services } from "../services.ts";
import { HttpProblem, InUse, waitOrCancel } from "./problem.ts";

/** The layout that a run finds or makes in its destination: the one it names, what is there, or that of new destinations. */
export async function layoutFor(
  { storage, settings }: Services,
  { layout, container, prefix }: Destination & { layout?: Layout | undefined },
): Promise<Layout> {
  return layout ?? (await layoutOf(storage, { container, prefix })) ?? settings.layout;
}

/**
 * Refuses `keepVersions` for a destination of packs, where old content stays until a prune deletes it.
 * @param body as it came, for the field has a default
 * @throws HttpProblem
 */
export async function refuseVersions(
  body: unknown,
  services: Services,
  place: Destination & { layout?: Layout | undefined },
): Promise<void> {
  if (!Object.hasOwn(Object(body) as object, "keepVersions")) return;
  if ((await layoutFor(services, place)) !== "packs") return;
  throw new HttpProblem(
    400,
    '"keepVersions": not in the layout "packs", which overwrites nothing: what runs stored stays until a prune. Leave it out.',
  );
}

/** Why a destination could not be claimed. @param app this app */
export function refusedClaim(
  request: Destination,
  claim: Exclude<ClaimResult, { claimed: true }>,
  app: string,
): HttpProblem {
  const place = placeOf(request);
  if ("activeRun" in claim) {
    const { activeRun } = claim;
    return new InUse(
      `The run ${activeRun} is backing up to ${place}. ${waitOrCancel(claim, app)}`,
      activeRun,
    );
  }
  if ("otherLayout" in claim)
    return new HttpProblem(
      409,
      `${place} holds backups in the layout "${claim.otherLayout}". Leave "layout" out, or choose another "container" or "prefix".`,
    );
  if ("overlaps" in claim) {
    const { layout, ...other } = claim.overlaps;
    return new HttpProblem(
      409,
      `${place} overlaps ${placeOf(other)}, which has the layout "${layout}", and a destination of packs must not overlap another. ` +
        `Choose another "container" or "prefix".`,
    );
  }
  return new HttpProblem(
    409,
    `${place} holds the backups of ${claim.otherRoot}. Choose another "container" or "prefix", or set "allowOtherRoot" to true.`,
    { otherRoot: claim.otherRoot },
  );
}

function placeOf({ container, prefix }: Destination): string {
  return prefix === "" ? container : `${container}/${prefix}`;
}
