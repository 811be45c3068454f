/** The app's own modules without a host: what its activities are given, on a real Azurite behind a proxy. */
import { randomUUID } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { createBudget, type Budget } from "../../src/storage/budget.ts";
import { copyScope, parseBackupRequest, type BackupRequest } from "../../src/backup/request.ts";
import { listFiles, type ListInput } from "../../src/backup/list-files.ts";
import { handOut } from "../../src/orchestration/fan-out.ts";
import { readSettings, type Settings } from "../../src/settings.ts";
import { connect } from "../../src/storage/connect.ts";
import { takeAccount } from "./azurite.ts";
import { startStorageProxy, type StorageProxy } from "./storage-proxy.ts";

export interface Domain {
  service: BlobServiceClient;
  settings: Settings;
  budget: Budget;
  proxy: StorageProxy;
  stop(): Promise<void>;
}

export async function startDomain(env: Record<string, string> = {}): Promise<Domain> {
  const azurite = takeAccount();
  const proxy = await startStorageProxy(azurite);
  const settings = readSettings({ BackupStorage: proxy.connectionString, ...env });
  return {
    service: connect(settings.destination),
    settings,
    budget: createBudget(settings.requestsInFlight, settings.bytesInFlight),
    proxy,
    async stop() {
      await proxy.stop();
      await azurite.stop();
    },
  };
}

export function newRun(): string {
  return randomUUID().replaceAll("-", "");
}

/** A request to back up `root` to a container of its own. */
export function requestFor(root: string, more: Partial<BackupRequest> = {}): BackupRequest {
  const parsed = parseBackupRequest({ root, container: `test-${newRun()}`, ...more });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

/** Lists a part of a tree, and hands it out as the orchestrator does. */
export async function listPart(
  input: ListInput,
  { service, settings }: Pick<Domain, "service" | "settings">,
) {
  return handOutListing(input, await listFiles(input, service, settings));
}

export function handOutListing(input: ListInput, listing: Awaited<ReturnType<typeof listFiles>>) {
  return handOut(input, listing, copyScope(input.request, listing.own));
}
