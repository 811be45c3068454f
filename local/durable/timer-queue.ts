/** Durable timers that have not fired yet; those that are due fire together. */
import type { Timer } from "./rows.ts";

/** setTimeout's longest; a later timer is looked at again then. */
const LONGEST_WAIT = 2 ** 31 - 1;

export class TimerQueue {
  readonly #fire: (due: Timer[]) => void;
  readonly #timers: { at: number; timer: Timer }[] = [];
  #wakeUp: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(fire: (due: Timer[]) => void) {
    this.#fire = fire;
  }

  add(timer: Timer): void {
    const at = Date.parse(timer.fireAt);
    this.#timers.splice(this.#position(at), 0, { at, timer });
    if (this.#timers[0]?.timer === timer) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#wakeUp);
  }

  /** Where a timer of this time goes: after those of the same time. */
  #position(at: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #arm(): void {
    clearTimeout(this.#wakeUp);
    const first = this.#timers[0];
    if (!first || this.#stopped) return;
    this.#wakeUp = setTimeout(() => this.#ring(), Math.min(LONGEST_WAIT, Math.max(0, first.at - Date.now())));
  }

  #ring(): void {
    const now = Date.now();
    const later = this.#timers.findIndex(({ at }) => at > now);
    const due = this.#timers.splice(0, later < 0 ? this.#timers.length : later);
    if (due.length > 0) this.#fire(due.map(({ timer }) => timer));
    this.#arm();
  }
}
