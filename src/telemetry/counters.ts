import { context, createContextKey, metrics, type Context } from "@opentelemetry/api";
import { OUTCOMES, type Counts } from "../model/outcome.ts";

const FUNCTION = createContextKey("site-backup function");

/** Marks what runs in this context as done by a function. */
export function withFunction(current: Context, name: string): Context {
  return current.setValue(FUNCTION, name);
}

/**
 * Counts files by outcome once their outcomes are in the ledger, so each file counts once a run, however often its
 * batch is delivered. Does nothing while telemetry is off.
 */
export function countOutcomes(counts: Counts): void {
  const meter = metrics.getMeter("site-backup");
  const files = meter.createCounter("site_backup.files", { unit: "{file}", description: "Files by outcome" });
  const bytes = meter.createCounter("site_backup.bytes", { unit: "By", description: "Bytes by outcome" });
  const by = { "faas.name": (context.active().getValue(FUNCTION) as string | undefined) ?? "none" };
  for (const outcome of OUTCOMES) {
    const count = counts[outcome] ?? 0;
    if (count > 0) files.add(count, { ...by, outcome });
  }
  const moved = counts.deleted ? "deleted" : "copied";
  if (counts.bytes > 0) bytes.add(counts.bytes, { ...by, outcome: moved });
  if (counts.unchangedBytes > 0) bytes.add(counts.unchangedBytes, { ...by, outcome: "unchanged" });
}
