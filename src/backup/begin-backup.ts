import { stat } from "node:fs/promises";
import path from "node:path";
import type { BlobServiceClient } from "@azure/storage-blob";
import { fileError } from "../files/errors.ts";
import { kindOf } from "../files/read-file.ts";
import { realPath } from "../files/real-path.ts";
import { isAllowed } from "../files/roots.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ListingOwn } from "../ledger/listing.ts";
import { PartProblem } from "../ledger/part-kind.ts";
import { keepPruneOut } from "../ledger/prune-lock.ts";
import { joinRun, recordComparedWith } from "../ledger/runs.ts";
import { forDisk } from "../model/path.ts";
import type { Settings } from "../settings.ts";
import { openStore } from "../store/open-store.ts";
import type { BackupRequest } from "./request.ts";

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

/** A root's real path, or why it cannot be backed up. */
export async function resolveRoot(
  root: string,
  timeoutMs: number,
): Promise<{ realRoot: string } | { problem: string }> {
  if (path.win32.isAbsolute(root) && !path.isAbsolute(root)) {
    return {
      problem: `The directory ${root} is a path on Windows, and this host runs on ${process.platform}.`,
    };
  }
  try {
    const realRoot = await withTimeout(realPath(root), timeoutMs, "looking it up");
    const stats = await withTimeout(stat(forDisk(realRoot)), timeoutMs, "looking it up");
    if (!stats.isDirectory()) {
      return { problem: `${root} is ${stats.isFile() ? "a file" : kindOf(stats)}, not a directory.` };
    }
    return { realRoot };
  } catch (error) {
    if (error instanceof FileTimeout)
      return { problem: `The directory ${root} cannot be read: ${error.message}.` };
    return { problem: rootProblem(root, (error as NodeJS.ErrnoException).code ?? String(error)) };
  }
}

/** The message for an error on the root itself. */
export function rootProblem(root: string, code: string): string {
  if (code === "ENOENT") return `The directory ${root} does not exist.`;
  if (code === "ENOTDIR") return `${root} is not a directory: part of the path is a file.`;
  if (code === "EACCES" || code === "EPERM") {
    return `The app has no permission to read the directory ${root} (${code}). Allow its user to list it.`;
  }
  return `The directory ${root} cannot be read: ${fileError(code)}.`;
}
