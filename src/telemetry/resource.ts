import { randomUUID } from "node:crypto";
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from "@opentelemetry/resources";

/**
 * Identifies the sender: the app's name, and this process of it. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
 */
export function resourceOf(env: NodeJS.ProcessEnv): Resource {
  const site = env["WEBSITE_SITE_NAME"];
  const own = resourceFromAttributes({
    "service.name": site ?? "site-backup",
    // Counters are totals of a process: without this, two instances would overwrite each other's.
    "service.instance.id": randomUUID(),
    ...(site === undefined ? {} : { "cloud.provider": "azure", "cloud.platform": "azure.functions" }),
    ...(env["REGION_NAME"] ? { "cloud.region": env["REGION_NAME"] } : {}),
  });
  return own.merge(detectResources({ detectors: [envDetector] }));
}
