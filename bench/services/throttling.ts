import path from "node:path";
import { fileURLToPath } from "node:url";
import { Child, until } from "./child.ts";
import type { Storage } from "./storage.ts";
import type { Throttling } from "./throttling-server.ts";

const SERVER = path.join(path.dirname(fileURLToPath(import.meta.url)), "throttling-server.ts");

/** A storage account that throttles above its rate. */
export async function startThrottling(throttling: Throttling): Promise<Storage> {
  const child = new Child("the throttling storage", process.execPath, [SERVER, JSON.stringify(throttling)]);
  await until(child, () => Promise.resolve(/^\d+$/.test(child.output)));
  return { port: Number(child.output), stop: () => child.stop() };
}
