import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import type { Counts } from "../model/outcome.ts";
import type { BackupRequest } from "../backup/request.ts";
import { releaseDestination } from "../ledger/destination-claim.ts";
import { ofDamaged } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { closeRun, type RunStatus } from "../ledger/run-record.ts";
import { suspicionOf } from "../ledger/suspicion.ts";
import { line } from "../telemetry/line.ts";
import { endPrune } from "../prune/end-prune.ts";
import { services } from "../services.ts";

export interface End {
  run: string;
  status: RunStatus;
  counts: Counts;
  /** Requests that storage throttled. */
  throttled?: number;
  message?: string;
  warnings?: string[];
  brokenOff?: true;
  /** What a backup was asked for, where what it found is to be held against the last good run. */
  backup?: BackupRequest;
  /** The destination that a backup has claimed. */
  claimed?: Place | undefined;
  /** The destination that a prune has locked. */
  locked?: Place | undefined;
}

interface Place {
  container: string;
  prefix: string;
}

/** What stands in the record of a run that has ended. */
export interface Closed {
  /** Whether it has a record. */
  recorded: boolean;
  /** It was canceled before it came to its end. */
  canceled?: true;
  /** Why a backup does not count, for people. */
  suspicion?: string;
}

/** Records how a run ended, and lets the next run of the destination begin. */
df.app.activity("closeBackup", {
  handler: async (
    { run, backup, claimed, locked, ...end }: End,
    context: InvocationContext,
  ): Promise<Closed> => {
    const ledger = new Ledger(services.storage, run);
    const suspicion = backup && (await suspicionOf(ledger, backup, end.counts));
    const told = suspicion === undefined ? end : suspect(end, suspicion);
    const record = await closeRun(ledger, told).catch(ofDamaged);
    if (locked) await endPrune(services.storage, { id: run, ...locked });
    if (claimed) await releaseDestination(services.storage, { id: run, ...claimed });
    const { kind = "backup", container, prefix, ...ended } = { ...told, ...record };
    const { status, counts, throttled, message } = ended;
    const warnings = ended.warnings?.join(" ");
    const what = { run, kind, container, prefix, status, ...counts, throttled, message, warnings };
    const words = line("run.ended", what);
    if (status === "failed") context.error(words);
    else context.info(words);
    return {
      recorded: record !== undefined,
      ...(status === "canceled" ? { canceled: true } : {}),
      ...(ended.suspect && message !== undefined ? { suspicion: message } : {}),
    };
  },
});

function suspect({ message, ...end }: Omit<End, "run" | "backup">, suspicion: string) {
  const words = message === undefined ? suspicion : `${message} ${suspicion}`;
  return { ...end, status: "failed", suspect: true, message: words } as const;
}
