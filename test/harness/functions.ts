/** The app's own activities and orchestrators, as its files register them with a host: called here without one. */
import { AsyncLocalStorage } from "node:async_hooks";
import { globSync } from "node:fs";
import { pathToFileURL } from "node:url";
import path from "node:path";
import * as df from "durable-functions";
import { AppRegistry, provideCoreApi } from "../../local/app/core-api.ts";
import type { Services } from "../../src/services.ts";

const SRC = path.join(import.meta.dirname, "../../src");
/** What starts runs, and tells of them. */
const STARTERS = ["http.ts", "schedules.ts"];

const orchestrators = new Map<string, df.OrchestrationHandler>();
const registry = new AppRegistry();
const using = new AsyncLocalStorage<Services>();

provideCoreApi(registry, () => undefined);
// The SDK would wrap the generator into something that replays a history.
Object.assign(df.app, {
  orchestration: (name: string, handler: df.OrchestrationHandler) => orchestrators.set(name, handler),
});
// Their own services are made as they load; each call is given others.
const { BackupStorage } = process.env;
process.env["BackupStorage"] ??= "UseDevelopmentStorage=true";
const { services } = await import("../../src/services.ts");
for (const key of ["settings", "storage", "budget"] as const)
  Object.defineProperty(services, key, { get: () => using.getStore()?.[key] });
for (const file of globSync(`${SRC}/functions/*.ts`))
  if (!STARTERS.includes(path.basename(file))) await import(pathToFileURL(file).href);
if (BackupStorage === undefined) delete process.env["BackupStorage"];

const silent = { info() {}, warn() {}, error() {} };

/** Runs an activity, as the worker does: what goes in and comes out is JSON. */
export async function runActivity(name: string, input: unknown, means: Services): Promise<unknown> {
  const { callback } = found(registry.functions, name);
  return asJson(await using.run(means, async () => await callback(asJson(input), silent)));
}

export function orchestratorOf(name: string): df.OrchestrationHandler {
  return found(orchestrators, name);
}

function found<T>(functions: ReadonlyMap<string, T>, name: string): T {
  const it = functions.get(name);
  if (it === undefined) throw new Error(`The app registers no function "${name}".`);
  return it;
}

/** What is left of a value on its way through the history of an orchestration. */
export function asJson(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
