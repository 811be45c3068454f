import { Interrupted } from "./failure.ts";

/**
 * Handles Ctrl-C and the like from the start of the command: `signal` aborts at the first one, so that whatever waits
 * can end cleanly; a second one ends the process at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  #by: NodeJS.Signals | undefined;

  constructor() {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        if (this.#by) process.exit(130);
        this.#by = name;
        this.#controller.abort(new Interrupted(name));
      });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits; throws Interrupted if that comes first. */
  async sleep(milliseconds: number): Promise<void> {
    this.signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(this.signal.reason as Interrupted);
      };
      const timer = setTimeout(() => {
        this.signal.removeEventListener("abort", onAbort);
        resolve();
      }, milliseconds);
      this.signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
