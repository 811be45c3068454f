/** What an app needs that this host does not provide. It is named at start, never ignored silently. */
import { type FunctionMetadata, triggerOf } from "./registered-function.ts";

const TRIGGERS = /^(http|timer|activity|orchestration)Trigger$/i;
/** Durable clients, and the answers of HTTP functions. */
const BINDINGS = /^(durableClient|orchestrationClient|http)$/i;

/** Why the function will not run at all; undefined if it will. */
export function unservedTrigger(metadata: FunctionMetadata): string | undefined {
  const { type } = triggerOf(metadata).binding;
  if (TRIGGERS.test(type)) return undefined;
  return `Function '${metadata.name}' will not run: the local host has no ${type}. Run the app with func start for it.`;
}

/** Why a call of the function fails; undefined if its bindings are provided. */
export function unservedBindings(metadata: FunctionMetadata): string | undefined {
  const trigger = triggerOf(metadata).key;
  const bindings = Object.entries(metadata.bindings)
    .filter(([key, { type }]) => key !== trigger && !BINDINGS.test(type))
    .map(([, { type, direction }]) => `${direction === "out" ? "output" : "input"} binding '${type}'`);
  if (bindings.length === 0) return undefined;
  return (
    `Function '${metadata.name}' fails when it is called: the local host does not serve its ${bindings.join(", ")}. ` +
    "Run the app with func start for it."
  );
}
