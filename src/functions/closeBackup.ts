import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { releaseDestination } from "../ledger/destination-claim.ts";
import { ofDamaged } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { closeRun } from "../ledger/runs.ts";
import { suspicionOf } from "../ledger/suspicion.ts";
import { line } from "../telemetry/line.ts";
import { endPrune } from "../prune/end-prune.ts";
import type { Closed, End } from "../orchestration/conclude.ts";
import { services } from "../services.ts";

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
