import type { BlobServiceClient } from "@azure/storage-blob";
import type { Outcome, Tally } from "../model/outcome.ts";
import { line, type Values } from "../telemetry/line.ts";
import { Ledger } from "./ledger.ts";
import { readOutcomes } from "./outcomes.ts";

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

/** The tally in an activity's result. */
export function tallyIn(result: unknown): Tally | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  if ("counts" in result) return result as Tally;
  const { settled, tally, found } = result as Partial<Record<"settled" | "tally" | "found", Tally>>;
  return settled ?? tally ?? found;
}

/** Adds throttled requests to a result's tally, or to a span of a large file that is not its last. */
export function addThrottled(result: unknown, throttled: number): void {
  const counted = tallyIn(result) ?? (isUnderWay(result) ? result : undefined);
  if (counted && throttled > 0) counted.throttled = (counted.throttled ?? 0) + throttled;
}

function isUnderWay(result: unknown): result is { progress: unknown; throttled?: number } {
  return typeof result === "object" && result !== null && "progress" in result;
}
