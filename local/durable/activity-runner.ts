/** Runs queued activities in the order they were queued, a limited number at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { EventType, type HistoryEvent } from "./history-event.ts";
import { completed, failed } from "./new-event.ts";
import { activityFailureDetails, activityFailureReason } from "./failure-text.ts";
import type { Task } from "./rows.ts";
import { type FunctionMetadata, triggerOf } from "../app/registered-function.ts";
import {
  invocationRequest,
  type InvocationRequest,
  type InvocationResult,
  jsonData,
  parameter,
  stringData,
  type TypedData,
  typedDataToJson,
} from "../worker/messages.ts";
import { type Worker, WorkerLostError } from "../worker/worker.ts";
import type { Logger } from "../log/logger.ts";

export class ActivityRunner {
  readonly #worker: Worker;
  readonly #metadataOf: (name: string) => FunctionMetadata | undefined;
  readonly #limit: number;
  readonly #delay: number;
  readonly #log: Logger;
  readonly #done: (task: Task, event: HistoryEvent) => void;
  #queue: Task[] = [];
  #next = 0;
  readonly #running = new Set<Promise<void>>();
  #stopped = false;
  /** When the next one may start, by performance.now(). */
  #nextStart = 0;

  constructor(options: {
    worker: Worker;
    metadataOf: (name: string) => FunctionMetadata | undefined;
    limit: number;
    /** Milliseconds that each takes before it starts, one after another. */
    delay: number;
    log: Logger;
    done: (task: Task, event: HistoryEvent) => void;
  }) {
    this.#worker = options.worker;
    this.#metadataOf = options.metadataOf;
    this.#limit = options.limit;
    this.#delay = options.delay;
    this.#log = options.log;
    this.#done = options.done;
  }

  add(tasks: Task[]): void {
    for (const task of tasks) this.#queue.push(task);
    this.#pump();
  }

  /** Starts no more; resolves when those running have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  #pump(): void {
    while (!this.#stopped && this.#running.size < this.#limit) {
      const task = this.#queue[this.#next];
      if (!task) break;
      this.#next += 1;
      const run = this.#run(task).finally(() => {
        this.#running.delete(run);
        this.#pump();
      });
      this.#running.add(run);
    }
    if (this.#next > 1000 && this.#next * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
  }

  async #run(task: Task): Promise<void> {
    const metadata = this.#metadataOf(task.name);
    if (!metadata) {
      const message = `The function '${task.name}' is not in the app any more.`;
      this.#finish(task, { status: "failure", exception: { message, stack: "" } });
      return;
    }
    const request = activityRequest(metadata, task);
    const where = { functionName: task.name, invocationId: request.invocationId };
    if (this.#delay > 0) await this.#delayed();
    try {
      const result = await this.#worker.invoke(request);
      if (result.status === "failure") this.#log.error(`failed: ${result.exception.message}`, where);
      else this.#log.debug("done", where);
      this.#finish(task, result);
    } catch (error) {
      if (!(error instanceof WorkerLostError)) throw error;
      this.#log.warn(`${error.message} The activity is delivered again.`, where);
      this.#queue.push(task);
    }
  }

  async #delayed(): Promise<void> {
    const now = performance.now();
    this.#nextStart = Math.max(now, this.#nextStart) + this.#delay;
    await sleep(this.#nextStart - now);
  }

  #finish(task: Task, result: InvocationResult): void {
    const event =
      result.status === "success"
        ? completed(EventType.TaskCompleted, task.eventId, typedDataToJson(result.response.returnValue))
        : failed(
            EventType.TaskFailed,
            task.eventId,
            activityFailureReason(task.name, result.exception),
            activityFailureDetails(result.exception),
          );
    this.#done(task, event);
  }
}

export function activityRequest(
  metadata: FunctionMetadata,
  task: Pick<Task, "instanceId" | "input" | "trace">,
): InvocationRequest {
  const { key } = triggerOf(metadata);
  const data = activityData(task.input);
  const triggerMetadata = {
    instanceId: stringData(task.instanceId),
    [key]: data,
    data: jsonData(task.input ?? "null"),
  };
  return invocationRequest(metadata.functionId, [parameter(key, data)], triggerMetadata, task.trace);
}

/** The input as the extension converts it for a string parameter: strings as they are, other values as text. */
function activityData(input: string | null): TypedData {
  const value: unknown = input === null ? null : JSON.parse(input);
  if (value === null) return {};
  if (typeof value === "string") return stringData(value);
  // .NET's way of writing a truth value.
  if (typeof value === "boolean") return stringData(value ? "True" : "False");
  return stringData(input ?? "");
}
