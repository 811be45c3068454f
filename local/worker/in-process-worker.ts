import type { AppRegistry } from "../app/core-api.ts";
import type { FunctionLog } from "../log/function-log.ts";
import { invokeFunction } from "./invoke-function.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";
import type { Worker } from "./worker.ts";

/** Runs functions in the host's own process. */
export class InProcessWorker implements Worker {
  readonly #app: AppRegistry;
  readonly #log: FunctionLog;

  constructor(app: AppRegistry, log: FunctionLog) {
    this.#app = app;
    this.#log = log;
  }

  invoke(request: InvocationRequest): Promise<InvocationResult> {
    return invokeFunction(this.#app, request, this.#log);
  }
}
