import type { BlobServiceClient } from "@azure/storage-blob";
import type { Counts } from "../model/outcome.ts";
import { line } from "../telemetry/line.ts";
import { damagedAsMissing } from "./damaged.ts";
import { releaseDestination } from "./destination-claim.ts";
import { endPrune } from "./end-prune.ts";
import { suspicionOf } from "./good-run.ts";
import { Ledger } from "./ledger.ts";
import type { Covered } from "./listing.ts";
import type { RunStatus } from "./run-record.ts";
import { closeRun } from "./runs.ts";

/** How a run ended. */
export interface End {
  run: string;
  status: RunStatus;
  counts: Counts;
  /** Requests that storage throttled. */
  throttled?: number;
  message?: string;
  warnings?: string[];
  brokenOff?: true;
  /** A backup's request: unless it was broken off, its counts are compared with the last good run's. */
  backup?: (Covered & { acceptFewer: boolean }) | undefined;
  /** A prune's request. */
  prune?: { container: string; prefix: string } | undefined;
}

/** What the closed record says. */
export interface Closed {
  /** The run was canceled before it ended by itself. */
  canceled?: true;
  /** Why a backup does not count, as a message. */
  suspicion?: string;
}

/** Records how a run ended, and releases a backup's destination or a prune's lock. */
export async function endRun(
  { run, backup, prune, ...end }: End,
  service: BlobServiceClient,
  log: Record<"info" | "error", (words: string) => void>,
): Promise<Closed> {
  const ledger = new Ledger(service, run);
  const suspicion = backup && !end.brokenOff ? await suspicionOf(ledger, backup, end.counts) : undefined;
  const judged = suspicion === undefined ? end : suspect(end, suspicion);
  const record = await closeRun(ledger, judged).catch(damagedAsMissing);
  if (prune) await endPrune(service, { id: run, ...prune });
  if (backup) await releaseDestination(service, { id: run, ...backup });
  const { kind = "backup", container, prefix, ...ended } = { ...judged, ...record };
  const { status, counts, throttled, message } = ended;
  const warnings = ended.warnings?.join(" ");
  const what = { run, kind, container, prefix, status, ...counts, throttled, message, warnings };
  const words = line("run.ended", what);
  if (status === "failed") log.error(words);
  else log.info(words);
  return {
    ...(status === "canceled" ? { canceled: true } : {}),
    ...(ended.suspect && message !== undefined ? { suspicion: message } : {}),
  };
}

function suspect({ message, ...end }: Omit<End, "run" | "backup" | "prune">, suspicion: string) {
  const words = message === undefined ? suspicion : `${message} ${suspicion}`;
  return { ...end, status: "failed", suspect: true, message: words } as const;
}
