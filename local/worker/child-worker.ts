/** A child process that runs functions. If it dies it is started again, after a longer wait each time it dies young. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { FromChild, ToChild } from "./child-messages.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";
import { limitTime, timeoutFailure } from "./time-limit.ts";
import { type Worker, WorkerLostError } from "./worker.ts";
import type { Logger } from "../log/logger.ts";
import { nodeOptions } from "../../scripts/node-options.mjs";

/** The built child if this file is built, else the source. */
const CHILD = path.join(
  path.dirname(fileURLToPath(import.meta.url)),
  `child-main${path.extname(fileURLToPath(import.meta.url))}`,
);
const FIRST_BACK_OFF = 100;
const LONGEST_BACK_OFF = 30_000;
/** A child that lived this long did not die of its start. */
const HEALTHY_AFTER = 10_000;

interface Waiting {
  resolve(result: InvocationResult): void;
  reject(error: Error): void;
  /** Starts when the child is sent the call: waiting for a child to start does not count. */
  limit?: NodeJS.Timeout | undefined;
}

export class ChildWorker implements Worker {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #timeout: number;
  readonly #open = new Map<string, Waiting>();
  #child: ChildProcess | undefined;
  #ready: Promise<void> = Promise.resolve();
  #backOff = FIRST_BACK_OFF;
  #stopping = false;
  #isReady = false;
  /** Resolves when the first process is up, or has ended before that. */
  readonly firstStart: Promise<void>;

  /** A function that takes longer than `timeout` (milliseconds) fails, and its process is ended. */
  constructor(directory: string, log: Logger, timeout: number) {
    this.#directory = directory;
    this.#log = log;
    this.#timeout = timeout;
    const first = this.#start();
    this.firstStart = Promise.race([this.#ready, once(first, "exit").then(() => undefined)]);
  }

  /** Invocations in progress. */
  get load(): number {
    return this.#open.size;
  }

  /** Whether a call would start at once. */
  get isReady(): boolean {
    return this.#isReady;
  }

  invoke(request: InvocationRequest): Promise<InvocationResult> {
    return new Promise((resolve, reject) => {
      this.#open.set(request.invocationId, { resolve, reject });
      void this.#ready.then(() => this.#send(request));
    });
  }

  #send(request: InvocationRequest): void {
    const id = request.invocationId;
    const waiting = this.#open.get(id);
    if (!waiting) return;
    waiting.limit = limitTime(this.#timeout, () => {
      this.#settle(id, timeoutFailure(request, this.#timeout));
      this.#child?.kill("SIGKILL");
    });
    const message: ToChild = { invoke: request };
    this.#child?.send(message, (error) => {
      if (error) this.#lose(id);
    });
  }

  /** Ends the process for good; resolves when it has. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    if (child.connected) child.disconnect();
    await ended;
  }

  #start(): ChildProcess {
    const child = fork(CHILD, [this.#directory], {
      serialization: "advanced",
      execArgv: [...process.execArgv, ...nodeOptions(process.env)],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const started = performance.now();
    this.#child = child;
    this.#ready = new Promise((resolve) => {
      child.on("message", (message: FromChild) => {
        if (message.kind === "ready") {
          this.#isReady = true;
          resolve();
        } else if (message.kind === "log") this.#log.write(message.level, message.message, message.where);
        else if (message.kind === "failed")
          this.#log.error(`A worker process could not load the app: ${message.message}`);
        else this.#settle(message.invocationId, message.result);
      });
    });
    child.on("error", (error) => this.#log.error(`worker process ${child.pid}: ${error.message}`));
    child.on("exit", (code, signal) => {
      this.#isReady = false;
      for (const id of this.#open.keys()) this.#lose(id);
      if (this.#stopping) return;
      this.#backOff =
        performance.now() - started > HEALTHY_AFTER
          ? FIRST_BACK_OFF
          : Math.min(LONGEST_BACK_OFF, this.#backOff * 2);
      this.#log.warn(
        `worker process ${child.pid} ended (${signal ?? `exit code ${code}`}); another starts in ${this.#backOff} ms`,
      );
      // Calls that come in the meantime wait for the next process.
      this.#ready = new Promise((resolve) => {
        setTimeout(() => {
          if (this.#stopping) return;
          this.#start();
          void this.#ready.then(resolve);
        }, this.#backOff);
      });
    });
    return child;
  }

  #settle(id: string, result: InvocationResult): void {
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    clearTimeout(waiting?.limit);
    waiting?.resolve(result);
  }

  #lose(id: string): void {
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    clearTimeout(waiting?.limit);
    waiting?.reject(new WorkerLostError("The worker process ended before the function did."));
  }
}
