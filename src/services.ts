import type { BlobServiceClient } from "@azure/storage-blob";
import { whenOutOfHandles } from "./files/errors.ts";
import { readSettings, type Settings } from "./settings.ts";
import { createBudget, type Budget } from "./storage/budget.ts";
import { connectAll } from "./storage/connect.ts";
import { whenThrottled } from "./storage/retries.ts";

/** What every function of the process uses, made when the process loads the app. */
export interface Services {
  settings: Settings;
  storage: BlobServiceClient;
  /** Shared by all activities of the process. */
  budget: Budget;
}

/** @throws Error that says which setting is wrong; the host shows it and does not start. */
function createServices(env: NodeJS.ProcessEnv): Services {
  const settings = readSettings(env);
  const budget = createBudget(settings.requestsInFlight, settings.bytesInFlight);
  whenThrottled(() => budget.throttled());
  whenOutOfHandles(() => budget.outOfHandles());
  return { settings, storage: connectAll(settings), budget };
}

export const services: Services = createServices(process.env);

// Loaded only if configured, and before any function runs: the worker waits for the app's modules.
if (services.settings.telemetry) {
  const { startTelemetry } = await import("./telemetry/sdk.ts");
  startTelemetry(process.env);
}
