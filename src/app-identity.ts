import { hostname } from "node:os";

/**
 * A name of the app that is the same in all its workers, on all its instances, and after it was started again, and
 * a different one for each app (and slot): what the app's durable engine knows of a run is only said of runs of this name.
 * In Azure the app's host name. Elsewhere `AzureFunctionsWebHost__hostid`, which the local host keeps with its state; or
 * the machine's name, for the app's host name has a port in it there, which may be another the next time.
 */
export function appIdentity(env: {
  WEBSITE_SITE_NAME?: string | undefined;
  WEBSITE_HOSTNAME?: string | undefined;
  AzureFunctionsWebHost__hostid?: string | undefined;
}): string {
  const site = env.WEBSITE_SITE_NAME;
  if (site) return env.WEBSITE_HOSTNAME || site;
  return env.AzureFunctionsWebHost__hostid || hostname();
}
