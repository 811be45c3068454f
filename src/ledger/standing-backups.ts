/** Which backups a destination holds, by the records of their runs. */
import type { BlobServiceClient } from "@azure/storage-blob";
import { isSameRoot } from "../model/root-path.ts";
import type { Destination } from "./claim.ts";
import { damagedAsMissing } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { indexedRuns, type RunSummary } from "./run-index.ts";
import { readRun } from "./run-record.ts";

/**
 * The root whose backups a destination actually holds: the given one, if a run of it found something and still exists, else that
 * of the newest such run. So a mistyped root, or one whose runs are all pruned, owns nothing.
 * @returns undefined if there are no backups
 */
export async function standingRoot(
  service: BlobServiceClient,
  place: Destination,
  root: string,
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
  place: Destination,
  root: string,
): Promise<boolean> {
  for await (const run of backupsIn(service, place)) if (!isSameRoot(run.root, root)) return false;
  return true;
}

export async function hasBackups(service: BlobServiceClient, place: Destination): Promise<boolean> {
  for await (const _run of backupsIn(service, place)) return true;
  return false;
}

/** The backups of a destination that found something, newest first. */
async function* backupsIn(
  service: BlobServiceClient,
  { container, prefix }: Destination,
): AsyncGenerator<RunSummary> {
  for await (const { id, summary } of indexedRuns(service)) {
    const run = summary ?? (await readRun(new Ledger(service, id)).catch(damagedAsMissing));
    if (run?.container === container && run.prefix === prefix && foundSomething(run)) yield run;
  }
}

/** A run without counts may have backed something up. */
function foundSomething({ kind = "backup", status, counts }: RunSummary): boolean {
  if (kind !== "backup" || status === "skipped") return false;
  return status === "completed" || !counts || counts.copied + counts.unchanged + counts.directories > 0;
}
