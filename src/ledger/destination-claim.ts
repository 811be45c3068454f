import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { LAYOUTS, type Layout } from "../model/layout.ts";
import { isSameRoot } from "../model/root-path.ts";
import { isBeingStarted } from "./alive.ts";
import { ConditionalBlob } from "./conditional-blob.ts";
import { ofDamaged } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { LEDGER_ID } from "../model/run-id.ts";
import { indexedRuns, type RunSummary } from "./run-index.ts";
import { readRun } from "./run-record.ts";

/** Which root's backups a destination holds, and which run writes there now. */
interface Claim {
  container: string;
  prefix: string;
  root: string;
  /** The run that writes there, or null. */
  run: string | null;
  /** The app of that run; absent in claims of older versions. */
  app?: string;
  /** Absent for `files`, also in claims of older versions. It never changes. */
  layout?: Layout;
  /** ISO 8601. */
  since: string;
}

const schema = z.looseObject({
  root: z.string(),
  run: z.string().regex(LEDGER_ID).nullable(),
  app: z.string().optional(),
  layout: z.enum(LAYOUTS).optional(),
  since: z.iso.datetime(),
});

export type ClaimResult =
  | { claimed: true; layout: Layout }
  /** Another run writes there. */
  | { claimed: false; activeRun: string; app?: string }
  /** The destination has another layout. */
  | { claimed: false; otherLayout: Layout }
  /** The backups there are of another root. */
  | { claimed: false; otherRoot: string };

/**
 * Claims a destination for a run, so that no two runs write to it at a time and no two roots mix. Each destination has one
 * blob, written under its ETag: of two runs that start at once, one wins.
 * @param wanted the destination's own layout counts if it names none
 * @param otherwise the layout of a destination that nobody has claimed, if it names none
 * @param isActive whether the run of an earlier claim is still running; undefined if it is not known
 */
export async function claimDestination(
  service: BlobServiceClient,
  wanted: Pick<Claim, "container" | "prefix" | "root" | "app" | "layout"> & {
    run: string;
    allowOtherRoot: boolean;
  },
  otherwise: Layout,
  isActive: (run: string, claim: Pick<Claim, "app" | "since">) => Promise<boolean | undefined>,
): Promise<ClaimResult> {
  const blob = claimBlob(service, wanted);
  const { container, prefix, root, run, app } = wanted;
  for (;;) {
    const current = await blob.read();
    const there = current && (current.content.layout ?? "files");
    const layout = there ?? wanted.layout ?? otherwise;
    let owner = root;
    if (current) {
      const { content: claim } = current;
      if (claim.run === run) return { claimed: true, layout };
      if (wanted.layout !== undefined && wanted.layout !== layout)
        return { claimed: false, otherLayout: layout };
      if (claim.run !== null) {
        const active = await isActive(claim.run, claim);
        const starting = active === undefined && isBeingStarted(claim.since);
        if (active || starting) {
          const { app } = claim;
          return { claimed: false, activeRun: claim.run, ...(app === undefined ? {} : { app }) };
        }
      }
      // The first root remains the owner, even if another one was let in.
      owner = claim.root;
      if (!isSameRoot(owner, root) && !wanted.allowOtherRoot) {
        owner = (await standingRoot(service, claim)) ?? root;
        if (!isSameRoot(owner, root)) return { claimed: false, otherRoot: owner };
      }
    }
    const since = new Date().toISOString();
    const more = { ...(app === undefined ? {} : { app }), ...(layout === "packs" ? { layout } : {}) };
    const next: Claim = { container, prefix, root: owner, run, since, ...more };
    if (await blob.write(next, current)) return { claimed: true, layout };
  }
}

/**
 * The root whose backups a destination really holds: the claim's, if a run of it found something and still exists, else that
 * of the newest such run. So a mistyped root, or one whose runs are all pruned, owns nothing. No run is active meanwhile; one
 * that starts changes the claim.
 * @returns undefined if there are no backups
 */
async function standingRoot(
  service: BlobServiceClient,
  { root, ...place }: Claim,
): Promise<string | undefined> {
  let newest: string | undefined;
  for await (const run of backupsIn(service, place)) {
    if (isSameRoot(run.root, root)) return root;
    newest ??= run.root;
  }
  return newest;
}

/** Whether all recorded backups of a destination are of this root. */
export async function hasOnlyRoot(
  service: BlobServiceClient,
  { root, ...place }: Pick<Claim, "container" | "prefix" | "root">,
): Promise<boolean> {
  for await (const run of backupsIn(service, place)) if (!isSameRoot(run.root, root)) return false;
  return true;
}

/** The backups of a destination that found something, newest first. */
async function* backupsIn(
  service: BlobServiceClient,
  { container, prefix }: Pick<Claim, "container" | "prefix">,
): AsyncGenerator<RunSummary> {
  for await (const { id, summary } of indexedRuns(service)) {
    const run = summary ?? (await readRun(new Ledger(service, id)).catch(ofDamaged));
    if (run?.container === container && run.prefix === prefix && foundSomething(run)) yield run;
  }
}

/** A run without counts may have backed something up. */
function foundSomething({ kind = "backup", status, counts }: RunSummary): boolean {
  if (kind !== "backup" || status === "skipped") return false;
  return status === "completed" || !counts || counts.copied + counts.unchanged + counts.directories > 0;
}

/** Releases a run's claim, if it still holds it. */
export async function releaseDestination(
  service: BlobServiceClient,
  run: { id: string; container: string; prefix: string },
): Promise<void> {
  const blob = claimBlob(service, run);
  const current = await blob.read();
  if (current?.content.run === run.id) await blob.write({ ...current.content, run: null }, current);
}

function claimBlob(service: BlobServiceClient, place: { container: string; prefix: string }) {
  return new ConditionalBlob<Claim>(service, `destinations/${keyOfDestination(place)}.json`, schema);
}

/** The name under which the ledgers' container keeps what is known of a destination. */
export function keyOfDestination({ container, prefix }: { container: string; prefix: string }): string {
  return createHash("sha256").update(`${container}\n${prefix}`).digest("hex").slice(0, 32);
}

/** How a destination keeps contents; undefined if nobody has claimed it yet. */
export async function layoutOf(
  service: BlobServiceClient,
  place: { container: string; prefix: string },
): Promise<Layout | undefined> {
  const claim = await claimBlob(service, place).read();
  return claim && (claim.content.layout ?? "files");
}
