/** A function as the app registered it: what the host reads of it, and the code it calls. */

export interface Binding {
  type: string;
  name?: string;
  direction?: string;
  [property: string]: unknown;
}

export interface FunctionMetadata {
  name: string;
  functionId: string;
  bindings: Record<string, Binding>;
  rawBindings: string[];
  scriptFile: string;
  directory?: string;
}

export type FunctionCallback = (...inputs: unknown[]) => unknown;

export interface RegisteredFunction {
  metadata: FunctionMetadata;
  callback: FunctionCallback;
}

/** The key and the settings of the binding that starts the function. */
export function triggerOf(metadata: FunctionMetadata): { key: string; binding: Binding } {
  for (const [key, binding] of Object.entries(metadata.bindings)) {
    if (/trigger$/i.test(binding.type)) return { key, binding };
  }
  throw new Error(`Function '${metadata.name}' has no trigger.`);
}

/** Whether the function's trigger is of this type, for example `httpTrigger`; case does not matter. */
export function hasTrigger(metadata: FunctionMetadata, type: string): boolean {
  return triggerOf(metadata).binding.type.toLowerCase() === type.toLowerCase();
}

/** The key of the function's durable client input, if it has one. */
export function durableClientKey(metadata: FunctionMetadata): string | undefined {
  return Object.entries(metadata.bindings).find(([, { type }]) =>
    /^(durable|orchestration)Client$/i.test(type),
  )?.[0];
}
