/** Child processes of the bench: started with their output kept, ended by their own id. */
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

const KEPT_OUTPUT = 8_000;
const GRACE_MS = 10_000;

const running = new Set<Child>();

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class Child {
  readonly name: string;
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  #output = "";

  constructor(name: string, command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.name = name;
    this.#process = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    // The output must be drained, or the child blocks when the pipe is full.
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on(
        "data",
        (data: Buffer) => (this.#output = (this.#output + data.toString()).slice(-KEPT_OUTPUT)),
      );
    }
    running.add(this);
    this.ended = new Promise((resolve, reject) => {
      this.#process.on("error", (error) => {
        running.delete(this);
        reject(new Error(`${name} could not be started: ${error.message}`));
      });
      this.#process.on("close", (code, signal) => {
        running.delete(this);
        resolve({ code, signal });
      });
    });
    // Whoever waits for the end gets the failure; nobody else has to handle it.
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return running.has(this);
  }

  /** The end of what it printed on both streams. */
  get output(): string {
    return this.#output.trim();
  }

  /** Waits for its end. @throws Error with its last lines if it failed */
  async success(): Promise<void> {
    const { code, signal } = await this.ended;
    if (code !== 0) throw new Error(`${this.name} ended with ${signal ?? code}: ${this.lastLines()}`);
  }

  /** Its last output, from the last error on if there is one. */
  lastLines(): string {
    const lines = this.output.split("\n");
    const error = lines.findLastIndex((line) => /error/i.test(line));
    return (error === -1 ? lines.slice(-3) : lines.slice(error, error + 3)).join(" | ");
  }

  /** Asks it to end, kills it after some seconds, and waits until it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (!this.isRunning) return;
    this.#process.kill(signal);
    const gone = await Promise.race([this.ended.then(() => true), sleep(GRACE_MS, false, { ref: false })]);
    if (!gone) this.#process.kill("SIGKILL");
    await this.ended;
  }
}

/** Ends all that still run, at the end of the bench. */
export async function stopAllChildren(): Promise<void> {
  await Promise.allSettled([...running].map((child) => child.stop()));
}

/** Polls until `check` is true. @throws Error if that takes too long or the child ends first */
export async function until(child: Child, check: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await check())) {
    if (!child.isRunning) throw new Error(`${child.name} did not start: ${child.lastLines()}`);
    if (performance.now() > end) throw new Error(`${child.name} did not start in ${withinMs / 1000} s`);
    await sleep(25);
  }
}
