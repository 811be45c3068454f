import type { BlobServiceClient } from "@azure/storage-blob";
import type { Outcome, Tally } from "../model/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readOutcomes } from "../ledger/outcomes.ts";
import { line, type Values } from "../telemetry/line.ts";

/**
 * Logs the result of a batch: one line at info, and one at warning for each failed file.
 * @param event what was done, such as `batch.copied`
 * @param where the run and the part of it
 * @param record where the ledger has the outcomes; read only if more files failed than the tally names
 */
export async function logTally(
  log: { info(words: string): void; warn(words: string): void },
  service: BlobServiceClient,
  event: string,
  where: Values & { run: string },
  { counts, failures, throttled, stopped }: Tally,
  record?: string,
): Promise<void> {
  log.info(line(event, { ...where, ...counts, ...(throttled ? { throttled } : {}), stopped }));
  if (counts.failed === 0) return;
  const all =
    counts.failed > failures.length &&
    record !== undefined &&
    (await outcomes(new Ledger(service, where.run), record));
  if (!all) {
    for (const failure of failures) log.warn(line("file.failed", { run: where.run, failure }));
    return;
  }
  for (const { outcome, path, reason } of all) {
    if (outcome !== "failed") continue;
    const failure = `${path}: ${reason ?? "unknown"}`;
    log.warn(line("file.failed", { run: where.run, failure }));
  }
}

/** A missing log line must not fail a batch that is done. */
async function outcomes(ledger: Ledger, record: string): Promise<Outcome[] | undefined> {
  try {
    return await readOutcomes(ledger, record);
  } catch {
    return undefined;
  }
}
