import { layoutOf, type Destination } from "../ledger/claim.ts";
import type { Layout } from "../model/layout.ts";
import type { Services } from "../services.ts";
import { HttpProblem } from "./problem.ts";

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
