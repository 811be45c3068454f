import { hostname } from "node:os";

/**
 * A stable name for this app (and slot): the same in all its workers and instances, and after a restart. The app's durable
 * engine knows only runs of this name. In Azure it is the app's host name. Elsewhere it is `AzureFunctionsWebHost__hostid`,
 * which the local host keeps with its state; or else the machine's name, because the host name includes a port, which may change.
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
