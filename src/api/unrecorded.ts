import type { BlobServiceClient } from "@azure/storage-blob";
import { parseBackupRequest } from "../backup/request.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readRun, type RunRecord } from "../ledger/run-record.ts";
import { parseRestoreRequest } from "../restore/request.ts";
import { parsePruneRequest } from "../prune/request.ts";
import { parseVerifyRequest } from "../verify/request.ts";
import { LINGERS_MS } from "../prune/choose-runs.ts";
import { CANCELED, type Instance } from "./instances.ts";

/**
 * A run that has not begun its record yet, or could not: as much as its start says of it. Undefined for one that had a
 * record, which a prune has deleted since: the engine remembers such a run for longer than there is anything to tell.
 */
export async function fromInstance(
  service: BlobServiceClient,
  id: string,
  instance: Instance,
): Promise<RunRecord | undefined> {
  if (isForgotten(instance, new Date())) return undefined;
  const asked = await askedFor(service, instance);
  if (!asked) return undefined;
  const begun = { version: 1 as const, id, ...asked, started: instance.created.toISOString() };
  return instance.status === "active" ? { ...begun, status: "running" } : { ...begun, ...endOf(instance) };
}

function isForgotten({ status, output, updated, unrecorded }: Instance, now: Date): boolean {
  switch (status) {
    case "active":
      return false;
    // It had a record, or could not have completed.
    case "completed":
      return true;
    case "failed":
      return !unrecorded;
    // One that was terminated may not have come to it, and cannot say so. For as long as this no prune forgets it.
    case "canceled":
      return output === CANCELED || now.getTime() - updated.getTime() > LINGERS_MS;
  }
}

type Asked = Pick<RunRecord, "kind" | "of" | "dryRun" | "root" | "container" | "prefix" | "mode">;

async function askedFor(service: BlobServiceClient, { name, input }: Instance): Promise<Asked | undefined> {
  if (name === "backupSiteContent") {
    const request = parseBackupRequest(input);
    if (!request.ok) return undefined;
    const { root, container, prefix, mode } = request.value;
    return { root, container, prefix, mode };
  }
  if (name === "restoreSiteContent") {
    const request = parseRestoreRequest(input);
    if (!request.ok) return undefined;
    const { run, to, dryRun, container = "backups", prefix = "" } = request.value;
    const place = run === undefined ? { container, prefix } : await placeOf(service, run);
    return { kind: "restore", ...place, ...(dryRun ? { dryRun } : {}), root: to, mode: "full" };
  }
  if (name === "verifyBackup") {
    const request = parseVerifyRequest(input);
    if (!request.ok) return undefined;
    return { kind: "verify", ...(await placeOf(service, request.value.run)), mode: "full" };
  }
  if (name === "pruneBackups") {
    const request = parsePruneRequest(input);
    if (!request.ok) return undefined;
    const { container, prefix, dryRun } = request.value;
    return { kind: "prune", ...(dryRun ? { dryRun } : {}), root: "", container, prefix, mode: "full" };
  }
  return undefined;
}

/** What a restore or verify takes over from the run that it is of. */
async function placeOf(service: BlobServiceClient, of: string) {
  const { root = "", container = "backups", prefix = "" } = (await readRun(new Ledger(service, of))) ?? {};
  return { of, root, container, prefix };
}

/** How a run ended whose record does not say. */
export function endOf(instance: Instance | undefined): Pick<RunRecord, "status" | "finished" | "message"> {
  if (!instance)
    return { status: "failed", message: "Its orchestration is gone: it was purged before it ended." };
  const { status, output, updated } = instance;
  const finished = updated.toISOString();
  if (status === "completed") return { status, finished };
  const said = typeof output === "string" && output !== "" ? { message: output.slice(0, 2000) } : {};
  return { status: status === "canceled" ? "canceled" : "failed", finished, ...said };
}
