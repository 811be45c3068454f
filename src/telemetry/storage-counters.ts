import { metrics } from "@opentelemetry/api";
import { storageCounters } from "../storage/retries.ts";

/** Exports what the storage client counts anyway: retries, throttling, and content damaged on the way. */
export function observeStorage(): void {
  const meter = metrics.getMeter("site-backup");
  const observe = (name: keyof typeof storageCounters, unit: string, description: string) =>
    meter
      .createObservableCounter(`site_backup.storage.${name}`, { unit, description })
      .addCallback((result) => result.observe(storageCounters[name]));
  observe("retries", "{retry}", "Storage requests that were retried");
  observe("throttled", "{request}", "Storage requests that the service throttled or that stalled");
  observe("damaged", "{request}", "Storage requests whose content was damaged on the way");
}
