import type { AppRegistry } from "../app/core-api.ts";
import type { FunctionLog } from "../log/function-log.ts";
import { invokeFunction } from "./invoke-function.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";
import { limitTime, timeoutFailure } from "./time-limit.ts";
import type { Worker } from "./worker.ts";

/**
 * Runs functions in the host's own process. One that takes longer than `timeout` (milliseconds) fails, but its code
 * cannot be stopped and continues unseen.
 */
export class InProcessWorker implements Worker {
  readonly #app: AppRegistry;
  readonly #log: FunctionLog;
  readonly #timeout: number;

  constructor(app: AppRegistry, log: FunctionLog, timeout = Infinity) {
    this.#app = app;
    this.#log = log;
    this.#timeout = timeout;
  }

  async invoke(request: InvocationRequest): Promise<InvocationResult> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<InvocationResult>((resolve) => {
      timer = limitTime(this.#timeout, () => resolve(timeoutFailure(request, this.#timeout)));
    });
    try {
      return await Promise.race([invokeFunction(this.#app, request, this.#log), tooLong]);
    } finally {
      clearTimeout(timer);
    }
  }
}
