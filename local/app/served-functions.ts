import type { AppRegistry } from "./core-api.ts";
import type { FunctionMetadata } from "./registered-function.ts";
import { unservedBindings, unservedTrigger } from "./unserved.ts";
import type { Logger } from "../log/logger.ts";

/**
 * The app's functions without those that an application setting `AzureWebJobs.NAME.Disabled` switches off, and those that
 * this host cannot run. It logs which these are.
 */
export function servedFunctions(
  app: AppRegistry,
  environment: NodeJS.ProcessEnv,
  log: Logger,
): FunctionMetadata[] {
  const all = [...app.functions.values()].map(({ metadata }) => metadata);
  return all.filter((metadata) => {
    const { name } = metadata;
    const setting =
      environment[`AzureWebJobs.${name}.Disabled`] ?? environment[`AzureWebJobs_${name}_Disabled`] ?? "";
    if (/^(true|1)$/i.test(setting.trim())) {
      log.info(`Function '${name}' is disabled by an application setting.`);
      return false;
    }
    const noTrigger = unservedTrigger(metadata);
    const warning = noTrigger ?? unservedBindings(metadata);
    if (warning !== undefined) log.warn(warning);
    return noTrigger === undefined;
  });
}
