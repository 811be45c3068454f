/**
 * The built-in module `@azure/functions-core`, which exists only at run time: the Node.js worker of Azure
 * Functions gives it to the app by answering `require("@azure/functions-core")`, and so does this host.
 * Its members are those the worker 3.9 provides.
 */
import Module from "node:module";
import path from "node:path";
import { CoreDisposable, disposable, type Disposable } from "./disposable.ts";
import { Hooks } from "./hooks.ts";
import type {
  Binding,
  FunctionCallback,
  FunctionMetadata,
  RegisteredFunction,
} from "./registered-function.ts";
import type { ProgrammingModel } from "./programming-model.ts";

const WORKER_VERSION = "3.9.1";
const HOST_VERSION = "4.1037.0";

/** What the app logs outside of an invocation. */
export type AppLog = (level: string, category: string, message: string) => void;

/** Everything the app registered while its files were loaded. */
export class AppRegistry {
  readonly functions = new Map<string, RegisteredFunction>();
  readonly hooks = new Hooks();
  programmingModel: ProgrammingModel | undefined;
  /** The file being loaded; functions are said to come from it. */
  currentFile: string | undefined;
  locked = false;

  register(
    metadata: { name: string; functionId?: string; bindings: Record<string, Binding> },
    callback: FunctionCallback,
  ): Disposable {
    if (this.locked) throw new Error("A function can only be registered during app startup.");
    const functionId = metadata.functionId ?? metadata.name;
    if (this.functions.has(functionId)) {
      throw new Error(`A function with id "${functionId}" has already been registered.`);
    }
    const full: FunctionMetadata = {
      ...metadata,
      functionId,
      rawBindings: Object.entries(metadata.bindings).map(([name, binding]) =>
        JSON.stringify({ ...binding, name }),
      ),
      scriptFile: this.currentFile === undefined ? "unknown" : path.basename(this.currentFile),
      ...(this.currentFile === undefined ? {} : { directory: path.dirname(this.currentFile) }),
    };
    this.functions.set(functionId, { metadata: full, callback });
    return disposable(() => {
      if (this.locked) throw new Error("A function can only be disposed during app startup.");
      this.functions.delete(functionId);
    });
  }
}

/** Answers `require("@azure/functions-core")` from now on, in this process, with this registry's API. */
export function provideCoreApi(registry: AppRegistry, log: AppLog): void {
  const api = {
    version: WORKER_VERSION,
    hostVersion: HOST_VERSION,
    registerHook: registry.hooks.register.bind(registry.hooks),
    setProgrammingModel: (model: ProgrammingModel) => {
      registry.programmingModel = model;
    },
    getProgrammingModel: () => registry.programmingModel,
    log,
    registerFunction: registry.register.bind(registry),
    Disposable: CoreDisposable,
  };
  const prototype = Module.prototype as unknown as { require: (this: unknown, id: string) => unknown };
  const original = prototype.require;
  prototype.require = function require(id) {
    return id === "@azure/functions-core" ? api : original.call(this, id);
  };
}
