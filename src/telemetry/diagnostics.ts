import type { DiagLogger } from "@opentelemetry/api";
import { redact } from "../secret.ts";

/**
 * Prints the SDK's own complaints, such as a collector that does not answer, once each: it would repeat them forever.
 */
export function once(): DiagLogger {
  const said = new Set<string>();
  const say = (message: string, ...details: unknown[]) => {
    const text = redact(["Telemetry:", message, ...details.map(String)].join(" ")).slice(0, 300);
    if (said.size > 100 || said.has(text)) return;
    said.add(text);
    console.warn(text);
  };
  const nothing = () => undefined;
  return { error: say, warn: say, info: nothing, debug: nothing, verbose: nothing };
}
