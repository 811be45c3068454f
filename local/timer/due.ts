/** When a timer is due, by what is known of it and by the clock. */
import type { Schedule } from "./schedule.ts";

/** What is kept of a timer. ISO 8601, UTC. */
export interface TimerState {
  /** When it ran last. */
  last: string;
  /** When it is due. */
  next: string;
  /** The moment that `next` was computed from. */
  updated: string;
}

export interface Due {
  at: Date;
  /** The moment that `at` was computed from, when it is not the one of the state: then the state is to be changed. */
  computedFrom?: Date;
}

/** A clock that is set back by no more than this repeats times that were seen to; beyond, it was wrong before. */
const SET_BACK_MS = 65 * 60_000;

/** When a timer is due that has this state: in the past when it was missed, however often, so that it runs once for all. */
export function dueOf(state: TimerState | undefined, schedule: Schedule, now: Date): Due {
  const anew = () => ({ at: schedule.next(now), computedFrom: now });
  if (!state) return anew();
  const computedFrom = new Date(state.updated);
  // What was done at a time that the clock has yet to come to is not a reason to wait for that time for days.
  if (computedFrom.getTime() - now.getTime() > SET_BACK_MS) return anew();
  // The schedule was changed meanwhile: what the old one had due is due no more.
  if (schedule.next(computedFrom).toISOString() !== state.next) return anew();
  return { at: new Date(state.next) };
}
