import type { Logger } from "../log/logger.ts";
import { ChildWorker } from "./child-worker.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";
import type { Worker } from "./worker.ts";

/** Several child processes; a function goes to the one with the least to do. */
export class WorkerPool implements Worker {
  readonly #children: ChildWorker[];

  constructor(count: number, directory: string, log: Logger) {
    this.#children = Array.from({ length: count }, () => new ChildWorker(directory, log));
  }

  invoke(request: InvocationRequest): Promise<InvocationResult> {
    const [first, ...rest] = this.#children;
    if (!first) throw new Error("A worker pool has at least one child.");
    return rest.reduce((least, child) => (child.load < least.load ? child : least), first).invoke(request);
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid).filter((pid) => pid !== undefined);
  }

  /** Ends the process that has this invocation; the others it had are lost with it, and delivered again. */
  killHolderOf(request: InvocationRequest): void {
    this.#children.find((child) => child.has(request.invocationId))?.kill();
  }

  stop(): void {
    for (const child of this.#children) child.stop();
  }
}
