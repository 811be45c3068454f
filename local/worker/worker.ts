import type { InvocationRequest, InvocationResult } from "./messages.ts";

/** Runs functions: this process, or a child process that loaded the same app. */
export interface Worker {
  /**
   * Runs one function. Never rejects because of the function (a throw is a `failure`). Rejects with WorkerLostError
   * if the worker itself ended before it answered: the call may or may not have had effects, and may be repeated.
   */
  invoke(request: InvocationRequest): Promise<InvocationResult>;
}

export class WorkerLostError extends Error {
  override name = "WorkerLostError";
}
