import type { EventRaised } from "./history-event.ts";

/** External events and those that wait for them. As in the extension, names ignore case and the latest waiter gets an event. */
export class ExternalEvents {
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #unread = new Map<string, EventRaised[]>();

  raise(event: EventRaised): void {
    const name = event.Name.toLowerCase();
    const waiter = this.#waiting.get(name)?.pop();
    if (waiter) waiter();
    else this.#unread.set(name, [...(this.#unread.get(name) ?? []), event]);
  }

  /** Calls `done` when an event of this name has come, at once if one has come already. */
  wait(name: string, done: () => void): void {
    const key = name.toLowerCase();
    const [first, ...rest] = this.#unread.get(key) ?? [];
    if (first) {
      this.#unread.set(key, rest);
      done();
    } else {
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), done]);
    }
  }

  /** Events that nothing waited for. */
  get unread(): EventRaised[] {
    return [...this.#unread.values()].flat();
  }
}
