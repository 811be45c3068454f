import type { Destination } from "../ledger/claim.ts";
import type { ClaimResult } from "../ledger/destination-claim.ts";
import { HttpProblem, InUse, waitOrCancel } from "./problem.ts";

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
