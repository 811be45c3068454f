import { Semaphore } from "async-mutex";
import pLimit, { type LimitFunction } from "p-limit";

/** What all activities of a process share: how many requests are open and how much content is in memory. */
export interface Budget {
  /** Runs a piece of work that keeps one request open. */
  request: LimitFunction;
  /** Runs the copying of one file: half as many again as requests, so that reading overlaps with sending. */
  file: LimitFunction;
  /** Runs `work` when `bytes` of memory are free for content; more than the whole budget counts as the whole. */
  bytes<T>(bytes: number, work: () => Promise<T>): Promise<T>;
}

/** What memory is counted in: async-mutex walks through a semaphore's whole value at each release, so the value is kept small. */
const UNIT = 64 * 1024;

export function createBudget(requestsInFlight: number, bytesInFlight: number): Budget {
  const units = Math.floor(bytesInFlight / UNIT);
  const memory = new Semaphore(units);
  return {
    request: pLimit(requestsInFlight),
    file: pLimit(Math.ceil(requestsInFlight * 1.5)),
    bytes: (bytes, work) => memory.runExclusive(work, Math.max(1, Math.min(Math.ceil(bytes / UNIT), units))),
  };
}
