/** Loads the function app as the Node.js worker does: every file that package.json's `main` names. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type AppLog, AppRegistry, provideCoreApi } from "./core-api.ts";
import { StartUpError, messageOf } from "../start-up-error.ts";

/** Loads the app in `directory`, once per process. Throws StartUpError if there is nothing to load. */
export async function loadApp(directory: string, log: AppLog): Promise<AppRegistry> {
  const files = entryFiles(directory);
  const registry = new AppRegistry();
  provideCoreApi(registry, log);
  for (const file of files) {
    registry.currentFile = file;
    try {
      await import(/* @vite-ignore */ pathToFileURL(file).href);
    } catch (error) {
      const stack = error instanceof Error && error.stack ? `\n${error.stack}` : "";
      throw new StartUpError(
        `Unable to load "${path.relative(directory, file)}": ${messageOf(error)}${stack}`,
      );
    }
    registry.currentFile = undefined;
  }
  if (registry.functions.size === 0) {
    throw new StartUpError(`No functions found: none of the ${files.length} files of "main" registered one.`);
  }
  await registry.hooks.run("appStart", {
    hookData: {},
    appHookData: registry.hooks.appHookData,
    functionAppDirectory: directory,
  });
  registry.locked = true;
  return registry;
}

/** Lets the app end what it began; telemetry, for example, sends what is left. */
export async function endApp({ hooks }: AppRegistry): Promise<void> {
  await hooks.run("appTerminate", { hookData: {}, appHookData: hooks.appHookData });
}

/** The files that `main` in package.json names, a path or a glob, in the order they are loaded. */
function entryFiles(directory: string): string[] {
  const main = mainOf(directory);
  const files = globSync(main, { cwd: directory }).sort();
  if (files.length === 0) {
    const built = main.split(/[\\/]/)[0] ?? main;
    throw new StartUpError(
      `No functions found: "main" in package.json is "${main}", and no file matches it in ${directory}. ` +
        `Run npm run build first (it makes ${built}${path.sep}).`,
    );
  }
  return files.map((file) => path.join(directory, file));
}

function mainOf(directory: string): string {
  const file = path.join(directory, "package.json");
  let main: unknown;
  try {
    main = (JSON.parse(readFileSync(file, "utf8")) as { main?: unknown }).main;
  } catch (error) {
    throw new StartUpError(`Cannot read ${file}: ${messageOf(error)}.`);
  }
  if (globSync("*/function.json", { cwd: directory }).length > 0) {
    throw new StartUpError(
      `${directory} holds an app of programming model v3 (function.json files), and the local host runs model v4. Run it with ` +
        "func start, or see https://learn.microsoft.com/azure/azure-functions/functions-node-upgrade-v4.",
    );
  }
  if (typeof main !== "string" || main === "") {
    throw new StartUpError(
      `${file} has no "main": it must name the app's built files, such as "dist/src/functions/*.js".`,
    );
  }
  return main;
}
