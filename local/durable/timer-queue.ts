/** Durable timers that have not fired yet; those that are due fire together. */
import type { Timer } from "./rows.ts";

/** How often at least the clock is looked at: it may have been set, or the machine may have slept. */
const LONGEST_WAIT = 30_000;

interface Waiting {
  timer: Timer;
  /** When it is due by the clock on the wall. */
  at: number;
  /** When it is due by a clock that nobody sets, as far as the wall's was right when it was added. */
  deadline: number;
}

/**
 * A timer is due when either clock says so: the one on the wall, which goes on while a machine sleeps, or the one
 * that only goes forward, so that setting the wall's back by an hour does not make a retry wait for an hour. For the
 * same reason it never waits for longer than its orchestration asked for: to that it is still as late as it was.
 */
export class TimerQueue {
  readonly #fire: (due: Timer[]) => void;
  #timers: Waiting[] = [];
  #wakeUp: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(fire: (due: Timer[]) => void) {
    this.#fire = fire;
  }

  add(timer: Timer): void {
    const at = Date.parse(timer.fireAt);
    const deadline = performance.now() + Math.min(at - Date.now(), timer.wait ?? Infinity);
    this.#timers.splice(this.#position(deadline), 0, { timer, at, deadline });
    if (this.#timers[0]?.timer === timer) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#wakeUp);
  }

  /** Where a timer of this deadline goes: after those of the same. */
  #position(deadline: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.deadline ?? 0) <= deadline) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #arm(): void {
    clearTimeout(this.#wakeUp);
    const first = this.#timers[0];
    if (!first || this.#stopped) return;
    const wait = first.deadline - performance.now();
    this.#wakeUp = setTimeout(() => this.#ring(), Math.min(LONGEST_WAIT, Math.max(0, Math.ceil(wait))));
  }

  #ring(): void {
    const [wall, steady] = [Date.now(), performance.now()];
    const isDue = ({ at, deadline }: Waiting): boolean => at <= wall || deadline <= steady;
    const due = this.#timers.filter(isDue);
    if (due.length > 0) {
      this.#timers = this.#timers.filter((waiting) => !isDue(waiting));
      this.#fire(due.sort((a, b) => a.at - b.at).map(({ timer }) => timer));
    }
    this.#arm();
  }
}
