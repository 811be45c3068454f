import type { InvocationRequest, InvocationResult } from "./messages.ts";

/** Something that runs functions: this process, or a child process that loaded the same app. */
export interface Worker {
  /**
   * Runs one function. Never rejects for what the function does (a throw is a `failure`). Rejects with
   * WorkerLostError when the worker itself ended before it answered: the call may or may not have had effects,
   * and may be made again.
   */
  invoke(request: InvocationRequest): Promise<InvocationResult>;
}

export class WorkerLostError extends Error {
  override name = "WorkerLostError";
}
