/** Hooks the app registered with `app.hook`, run in the order they were registered. */
import { type Disposable, disposable } from "./disposable.ts";

type HookName = "appStart" | "appTerminate" | "preInvocation" | "postInvocation" | "log";
type HookCallback = (context: unknown) => unknown;

export class Hooks {
  readonly appHookData: Record<string, unknown> = {};
  readonly #registered = new Map<string, HookCallback[]>();

  register(name: string, callback: HookCallback): Disposable {
    const callbacks = this.#registered.get(name) ?? [];
    this.#registered.set(name, callbacks);
    callbacks.push(callback);
    return disposable(() => {
      const at = callbacks.indexOf(callback);
      if (at >= 0) callbacks.splice(at, 1);
    });
  }

  /** For hooks called while the app is running: `log`. */
  runNow(name: HookName, context: unknown): void {
    for (const callback of this.#registered.get(name) ?? []) callback(context);
  }

  async run(name: HookName, context: unknown): Promise<void> {
    for (const callback of this.#registered.get(name) ?? []) await callback(context);
  }
}
