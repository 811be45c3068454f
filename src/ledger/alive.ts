/** Whether a run that this app's durable engine does not know is alive: it is about to start, or belongs to another app. */
import type { BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { blobPages } from "../storage/blob-pages.ts";
import type { Ledger } from "./ledger.ts";
import { ALIVE } from "./names.ts";
import type { RunRecord } from "./run-record.ts";

/**
 * How long another app's run counts as running after its last write, in milliseconds. Each app has its own durable engine, so
 * this app cannot ask. A working run writes within minutes, or every few GiB of a huge file; the rest allows for a laptop
 * that sleeps overnight and an app that is stopped for a while.
 */
const SILENCE_MS = 24 * 60 * 60_000;

/** How long a run counts as about to start, in milliseconds. It claims its destination before its instance is started. */
const STARTING_MS = 60_000;

/**
 * Whether a run that the engine does not know is just being started.
 * @param since when it claimed its destination, ISO 8601. It may be in the future if the clock was set back
 */
export function isBeingStarted(since: string): boolean {
  return Math.abs(Date.now() - Date.parse(since)) < STARTING_MS;
}

/** Whether a record is another app's. One that names no app was written by an older version, and counts as this app's. */
export function isOfAnother(app: string, { app: of }: Pick<RunRecord, "app">): boolean {
  return of !== undefined && of !== app;
}

/**
 * Whether a run has written to its ledger recently. Lists the ledger up to the first recent blob, unless the run itself began
 * recently.
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

/** Bytes of a file between two heartbeats: an hour at 1 MiB/s. */
const EVERY = 4 * 1024 ** 3;

/**
 * Writes a sign of life to a run's ledger for other apps: while a single huge file is copied, nothing else is written.
 * @param from bytes of the file done before
 * @param to bytes done now
 */
export async function heartbeat(ledger: Ledger, from: number, to: number): Promise<void> {
  if (Math.floor(to / EVERY) > Math.floor(from / EVERY)) await ledger.write(ALIVE, "{}");
}
