import type { AppRegistry } from "./core-api.ts";
import type { FunctionMetadata } from "./registered-function.ts";
import type { Logger } from "../log/logger.ts";

/** The app's functions without those an application setting `AzureWebJobs.NAME.Disabled` switches off. */
export function enabledFunctions(
  app: AppRegistry,
  environment: NodeJS.ProcessEnv,
  log: Logger,
): FunctionMetadata[] {
  const all = [...app.functions.values()].map(({ metadata }) => metadata);
  return all.filter(({ name }) => {
    const setting =
      environment[`AzureWebJobs.${name}.Disabled`] ?? environment[`AzureWebJobs_${name}_Disabled`] ?? "";
    const disabled = /^(true|1)$/i.test(setting.trim());
    if (disabled) log.info(`Function '${name}' is disabled by an application setting.`);
    return !disabled;
  });
}
