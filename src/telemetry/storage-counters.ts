import { metrics } from "@opentelemetry/api";
import { storageCounters } from "../storage/retries.ts";

/** Shows what the storage client counts anyway: how often it had to try again, was throttled, sent what arrived damaged. */
export function observeStorage(): void {
  const meter = metrics.getMeter("site-backup");
  const observe = (name: keyof typeof storageCounters, unit: string, description: string) =>
    meter
      .createObservableCounter(`site_backup.storage.${name}`, { unit, description })
      .addCallback((result) => result.observe(storageCounters[name]));
  observe("retries", "{retry}", "Storage requests that were made again");
  observe("throttled", "{request}", "Storage requests that the service throttled or that stalled");
  observe("damaged", "{request}", "Storage requests whose content did not arrive as it was sent");
}
