/** When a timer is due, from its state and the clock. */
import type { Schedule } from "./schedule.ts";

/** A timer's stored state. ISO 8601, UTC. */
interface TimerState {
  /** When it ran last. */
  last: string;
  /** When it is due. */
  next: string;
  /** The moment that `next` was computed from. */
  updated: string;
}

interface Due {
  at: Date;
  /** The moment that `at` was computed from, if it is not the state's: the state must then be changed. */
  computedFrom?: Date;
}

/** A clock set back by no more than this repeats moments that were handled; beyond, it was wrong before. */
const SET_BACK_MS = 65 * 60_000;

/** When a timer with this state is due; in the past if it was missed, however often, so that it runs once for all. */
export function dueOf(state: TimerState | undefined, schedule: Schedule, now: Date): Due {
  const anew = () => ({ at: schedule.next(now), computedFrom: now });
  if (!state) return anew();
  const computedFrom = new Date(state.updated);
  // A run at a time that is still to come by the clock is no reason to wait days for that time.
  if (computedFrom.getTime() - now.getTime() > SET_BACK_MS) return anew();
  // The schedule was changed in the meantime: what the old one had due no longer counts.
  if (schedule.next(computedFrom).toISOString() !== state.next) return anew();
  return { at: new Date(state.next) };
}
