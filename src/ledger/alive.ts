/** How a run shows that it goes on, where the durable engine does not know it: it is about to be started, or another app's. */
import type { BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { blobPages } from "../storage/blob-pages.ts";
import type { Ledger } from "./ledger.ts";
import { ALIVE } from "./names.ts";
import type { RunRecord } from "./run-record.ts";

/**
 * How long a run of another app is taken to go on after the last that was written of it, in milliseconds. This app cannot
 * ask: each app has a durable engine of its own. A run that does anything writes within minutes, one that copies a single
 * huge file with every few GiB; the rest is for a laptop that sleeps overnight, and an app that is stopped for a while.
 */
export const SILENCE_MS = 24 * 60 * 60_000;

/** How long a run is taken to be about to start, in milliseconds: it has its destination and its record before its instance. */
const STARTING_MS = 60_000;

/**
 * Whether a run that the engine does not know is just being started.
 * @param since when it began, ISO 8601. One of the future is not young for hours: it was made before the clock was set back
 */
export function isBeingStarted(since: string): boolean {
  return Math.abs(Date.now() - Date.parse(since)) < STARTING_MS;
}

/** Whether something is of another app than this one. What names no app is of an older version, and counts as own. */
export function isOfAnother(app: string, { app: of }: Pick<RunRecord, "app">): boolean {
  return of !== undefined && of !== app;
}

/**
 * Whether anything of a run was written lately. No request for a run that began lately, else list calls over its ledger,
 * as far as the first blob that is young enough.
 */
export async function wroteRecently(
  service: BlobServiceClient,
  { id, started }: Pick<RunRecord, "id" | "started">,
  silence = SILENCE_MS,
): Promise<boolean> {
  const since = Date.now() - silence;
  if (Date.parse(started) > since) return true;
  const container = service.getContainerClient(LEDGER_CONTAINER);
  for await (const { blobs } of blobPages(container, { prefix: `${id}/` })) {
    if (blobs.some(({ properties }) => properties.lastModified.getTime() > since)) return true;
  }
  return false;
}

/** Bytes of a file after which its run says again that it goes on: at 1 MiB/s an hour. */
const EVERY = 4 * 1024 ** 3;

/**
 * Says in a run's ledger that it goes on, for other apps that can see no more of it than that: of a single huge file
 * nothing else is written for as long as it takes.
 * @param from bytes of the file that were done before
 * @param to bytes that are now
 */
export async function heartbeat(ledger: Ledger, from: number, to: number): Promise<void> {
  if (Math.floor(to / EVERY) > Math.floor(from / EVERY)) await ledger.write(ALIVE, "{}");
}
