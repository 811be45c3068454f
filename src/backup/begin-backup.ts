import type { BlobServiceClient } from "@azure/storage-blob";
import { isAllowed } from "../files/roots.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { findBase } from "../ledger/find-base.ts";
import type { Basis, ListingOwn } from "../ledger/listing.ts";
import { keepPruneOut } from "../ledger/prune-lock.ts";
import type { ComparedWith } from "../ledger/run-record.ts";
import { joinRun, recordComparedWith } from "../ledger/runs.ts";
import { PartProblem } from "../ledger/settle-part.ts";
import type { Settings } from "../settings.ts";
import { openStore } from "../store/open-store.ts";
import type { BackupRequest } from "./request.ts";
import { resolveRoot } from "./resolve-root.ts";

/** Opens a backup's record, and finds out what all its parts have in common. @throws PartProblem */
export async function beginBackup(
  request: BackupRequest,
  ledger: Ledger,
  service: BlobServiceClient,
  settings: Settings,
): Promise<ListingOwn> {
  await assertAllowed(request.root, request, settings);
  const resolved = await resolveRoot(request.root, settings.fileTimeoutMs);
  const { versioned } = await joinRun(ledger, { ...request, app: settings.app });
  // After the record is open: a prune takes the lock, then looks for open records, so one of the two sees the other.
  const prune = await keepPruneOut(service, request);
  if (prune !== undefined)
    throw new PartProblem(
      `The prune ${prune} is deleting in this destination. Start the backup again when it has ended.`,
    );
  if ("problem" in resolved) throw new PartProblem(resolved.problem);
  const basis = await openStore(request, service, settings).begin(request, versioned);
  const base = request.compareWith === "record" ? await baseFor(request, basis, ledger) : {};
  return { realRoot: resolved.realRoot, ...basis, ...base };
}

/** Decides once what all parts compare with, and records it. */
async function baseFor(
  request: BackupRequest,
  { fresh }: Basis,
  ledger: Ledger,
): Promise<Pick<Basis, "base">> {
  const found: ComparedWith = fresh
    ? { destination: true, because: "it is empty" }
    : await findBase(ledger, request);
  await recordComparedWith(ledger, found);
  return "run" in found ? { base: found.run } : {};
}

/** @throws PartProblem if BACKUP_ROOTS does not allow the root */
export async function assertAllowed(
  path: string,
  { root }: Pick<BackupRequest, "root">,
  { roots, fileTimeoutMs }: Settings,
): Promise<void> {
  if (await isAllowed(path, roots, fileTimeoutMs)) return;
  throw new PartProblem(`The directory ${root} is outside the directories that BACKUP_ROOTS allows.`);
}
