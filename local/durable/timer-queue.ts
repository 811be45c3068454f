/** Durable timers that have not fired yet; those due fire together. */
import type { Timer } from "./rows.ts";

/** The longest wait before the clock is checked again: it may have been set, or the machine may have slept. */
const LONGEST_WAIT = 30_000;

interface Waiting {
  timer: Timer;
  /** When it is due by the wall clock. */
  at: number;
  /** When it is due by a monotonic clock, if the wall clock was right when it was added. */
  deadline: number;
}

/**
 * A timer is due when either clock says so: the wall clock, which keeps going while the machine sleeps, or the
 * monotonic one, so that setting the wall clock back by an hour does not make a retry wait for an hour. For the same
 * reason it never waits longer than its orchestration asked for.
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

  /** The position for a timer with this deadline: after others with the same. */
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
