import type { BlobServiceClient } from "@azure/storage-blob";
import { isAllowed } from "../files/roots.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ListingOwn } from "../ledger/listing.ts";
import { keepPruneOut } from "../ledger/prune-lock.ts";
import { joinRun, recordComparedWith } from "../ledger/runs.ts";
import { PartProblem } from "../ledger/part.ts";
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
  const { versioned, layout } = await joinRun(ledger, { ...request, app: settings.app });
  // After the record is open: a prune takes the lock, then looks for open records, so one of the two sees the other.
  const prune = await keepPruneOut(service, request);
  if (prune !== undefined)
    throw new PartProblem(
      `The prune ${prune} is deleting in this destination. Start the backup again when it has ended.`,
    );
  if ("problem" in resolved) throw new PartProblem(resolved.problem);
  const store = openStore({ ...request, layout }, service, settings);
  const { basis, comparedWith } = await store.begin(request, ledger, versioned);
  if (comparedWith) await recordComparedWith(ledger, comparedWith);
  return { realRoot: resolved.realRoot, layout, ...basis };
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
