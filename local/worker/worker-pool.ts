import type { Logger } from "../log/logger.ts";
import { ChildWorker } from "./child-worker.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";
import type { Worker } from "./worker.ts";

interface WorkerPoolOptions {
  /** How many processes, at least 1. */
  count: number;
  /** The app's folder. */
  directory: string;
  /** functionTimeout, in milliseconds. */
  timeout: number;
  log: Logger;
}

/** Several child processes; a function goes to the least busy of those that are up. */
export class WorkerPool implements Worker {
  readonly #children: ChildWorker[];

  constructor({ count, directory, log, timeout }: WorkerPoolOptions) {
    this.#children = Array.from({ length: count }, () => new ChildWorker(directory, log, timeout));
  }

  invoke(request: InvocationRequest): Promise<InvocationResult> {
    const ready = this.#children.filter(({ isReady }) => isReady);
    const [first, ...rest] = ready.length > 0 ? ready : this.#children;
    if (!first) throw new Error("A worker pool has at least one child.");
    return rest.reduce((least, child) => (child.load < least.load ? child : least), first).invoke(request);
  }

  /** Resolves when each process is up or has failed to start once: from then on they share the work. */
  async started(): Promise<void> {
    await Promise.all(this.#children.map(({ firstStart }) => firstStart));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
  }
}
