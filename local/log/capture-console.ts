/** Sends what the app prints with `console` to the log, under the name of the function that printed it. */
import { format } from "node:util";
import { currentInvocation } from "../worker/current-invocation.ts";
import type { FunctionLog } from "./function-log.ts";

const LEVEL_OF = {
  log: "information",
  info: "information",
  warn: "warning",
  error: "error",
  debug: "debug",
} as const;

export function captureConsole(log: FunctionLog): void {
  for (const method of Object.keys(LEVEL_OF) as (keyof typeof LEVEL_OF)[]) {
    console[method] = (...args: unknown[]) => log(LEVEL_OF[method], format(...args), currentInvocation());
  }
}
