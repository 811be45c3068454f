import { redact } from "../secret.ts";

export type Values = Record<string, string | number | undefined>;

/**
 * A log line as `event=… name=value …`, readable by KQL's parse-kv, Loki's logfmt and people. Text that is not one
 * plain word is quoted as in JSON, so that no file name can end the line or pass for another value.
 */
export function line(event: string, values: Values): string {
  const pairs = Object.entries({ event, ...values }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${written(value)}`],
  );
  return redact(pairs.join(" "));
}

function written(value: string | number): string {
  return typeof value === "number" || /^[\w.:/@+-]+$/.test(value) ? String(value) : JSON.stringify(value);
}
