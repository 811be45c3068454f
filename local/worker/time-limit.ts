import { formatTimeSpan } from "../settings/time-span.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";
import type { Worker } from "./worker.ts";

/** setTimeout's longest. */
const LONGEST = 2 ** 31 - 1;

/**
 * Lets a function fail when it takes longer than host.json's functionTimeout (milliseconds). `onTimeout` is for a
 * worker that can be restarted; in the host's own process the function goes on unseen.
 */
export class TimeLimitedWorker implements Worker {
  readonly #inner: Worker;
  readonly #timeout: number;
  readonly #onTimeout: (request: InvocationRequest) => void;

  constructor(inner: Worker, timeout: number, onTimeout: (request: InvocationRequest) => void) {
    this.#inner = inner;
    this.#timeout = timeout;
    this.#onTimeout = onTimeout;
  }

  async invoke(request: InvocationRequest): Promise<InvocationResult> {
    if (this.#timeout > LONGEST) return this.#inner.invoke(request);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<InvocationResult>((resolve) => {
      timer = setTimeout(() => {
        resolve({ status: "failure", exception: { message: message(request, this.#timeout), stack: "" } });
        this.#onTimeout(request);
      }, this.#timeout);
    });
    try {
      return await Promise.race([this.#inner.invoke(request), tooLong]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The real host's words. */
function message(request: InvocationRequest, timeout: number): string {
  return (
    `Timeout value of ${formatTimeSpan(timeout)} exceeded by function: 'Functions.${request.functionId}' ` +
    `(Id: '${request.invocationId}'). Initiating cancellation.`
  );
}
