/**
 * Decides when instances take their turns: one turn at a time for an instance, a limited number at once. An instance
 * whose tasks are still running pauses after each turn, in proportion to the turn's time: results that arrive
 * meanwhile share the next turn, so that a wide fan-out costs few replays of its growing history instead of one for
 * each result.
 */
const PAUSE_PER_TURN_TIME = 2;
const LONGEST_PAUSE = 500;

export class TurnQueue {
  readonly #limit: number;
  readonly #run: (id: string) => Promise<void>;
  readonly #ready = new Set<string>();
  readonly #running = new Map<string, { again: boolean }>();
  readonly #busy = new Set<string>();
  /** Pausing instances, with what ends the pause. */
  readonly #pausing = new Map<string, { timer: NodeJS.Timeout; wanted: boolean }>();
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(limit: number, run: (id: string) => Promise<void>) {
    this.#limit = limit;
    this.#run = run;
  }

  /** The instance has something to do. */
  wake(id: string): void {
    const running = this.#running.get(id);
    if (running) {
      running.again = true;
      return;
    }
    const pause = this.#pausing.get(id);
    if (pause && this.#busy.has(id)) {
      pause.wanted = true;
      return;
    }
    this.#ready.add(id);
    setImmediate(() => this.#pump());
  }

  /** Whether tasks of the instance are still to come. */
  setBusy(id: string, busy: boolean): void {
    if (busy) {
      this.#busy.add(id);
      return;
    }
    this.#busy.delete(id);
    if (this.#pausing.get(id)?.wanted) this.#endPause(id);
  }

  /** Starts no more turns; resolves when none is running. */
  stop(): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#pausing.values()) clearTimeout(timer);
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #pump(): void {
    for (const id of this.#ready) {
      if (this.#stopped || this.#running.size >= this.#limit) return;
      this.#ready.delete(id);
      void this.#take(id);
    }
  }

  async #take(id: string): Promise<void> {
    const state = { again: false };
    this.#running.set(id, state);
    const start = performance.now();
    await this.#run(id);
    this.#running.delete(id);
    if (this.#stopped) {
      if (this.#running.size === 0) this.#idle?.();
      return;
    }
    const pause = Math.min(LONGEST_PAUSE, PAUSE_PER_TURN_TIME * (performance.now() - start));
    if (this.#busy.has(id)) {
      const timer = setTimeout(() => this.#endPause(id), pause);
      this.#pausing.set(id, { timer, wanted: state.again });
    } else if (state.again) {
      this.#ready.add(id);
    }
    // Not at once: consecutive turns must leave the process time for everything else.
    setImmediate(() => this.#pump());
  }

  #endPause(id: string): void {
    const pause = this.#pausing.get(id);
    if (!pause) return;
    clearTimeout(pause.timer);
    this.#pausing.delete(id);
    if (pause.wanted) this.wake(id);
  }
}
