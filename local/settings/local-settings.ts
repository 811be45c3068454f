/** local.settings.json: application settings for development, put into the environment as func does. */
import { existsSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { StartUpError } from "../start-up-error.ts";
import { parseFile } from "./host-json.ts";

const schema = z.looseObject({
  Host: z
    .looseObject({
      LocalHttpPort: z.number().int().min(0).max(65_535).optional(),
      CORS: z.unknown().optional(),
    })
    .optional(),
  IsEncrypted: z.boolean().optional(),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

interface LocalSettings {
  /** The port to listen on, if the file names one. */
  port: number | undefined;
  warnings: string[];
}

/**
 * Puts the file's values into `environment`, except where a variable is already set. Without a file the
 * storage is the host's own. Throws StartUpError when the file is wrong.
 */
export function applyLocalSettings(directory: string, environment: NodeJS.ProcessEnv): LocalSettings {
  const file = path.join(directory, "local.settings.json");
  const warnings: string[] = [];
  let port: number | undefined;
  if (existsSync(file)) {
    const result = schema.safeParse(parseFile(file));
    if (!result.success) {
      const problems = result.error.issues.map(
        (issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`,
      );
      throw new StartUpError(`${file} is not valid: ${problems.join("; ")}.`);
    }
    if (result.data.IsEncrypted)
      throw new StartUpError(`${file} is encrypted; run func settings decrypt first.`);
    const { Host } = result.data;
    port = Host?.LocalHttpPort;
    if (Host?.CORS !== undefined)
      warnings.push(
        "Host.CORS in local.settings.json is ignored: the local host does not accept requests from pages of other origins.",
      );
    for (const [name, value] of Object.entries(result.data.Values ?? {})) {
      if (environment[name] === undefined) environment[name] = String(value);
      else if (environment[name] !== String(value)) {
        warnings.push(
          `Skipping '${name}' from local settings as it's already defined in current environment variables.`,
        );
      }
    }
  }
  environment["AzureWebJobsStorage"] ??= "UseDevelopmentStorage=true";
  return { port, warnings };
}
