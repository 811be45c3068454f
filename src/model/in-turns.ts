import { setImmediate } from "node:timers/promises";

/** How long a loop computes before others get a turn, in milliseconds. */
const TURN = 20;

/**
 * For loops that may be long or concurrent. Await the result before each step: after every 20 ms of computing
 * the event loop continues, so that a question about a run, a cancel or SIGTERM does not wait longer.
 */
export function takingTurns(): () => Promise<void> | undefined {
  let until = performance.now() + TURN;
  let others: Promise<void> | undefined;
  const letOthers = async (): Promise<void> => {
    await setImmediate();
    until = performance.now() + TURN;
    others = undefined;
  };
  const giveWay = async (): Promise<void> => {
    while (performance.now() >= until) await (others ??= letOthers());
  };
  return () => (performance.now() < until ? undefined : giveWay());
}

/** Maps a list that may be long; see takingTurns. */
export async function inTurns<T, R>(items: Iterable<T>, work: (item: T, index: number) => R): Promise<R[]> {
  const turn = takingTurns();
  const results: R[] = [];
  for (const item of items) {
    results.push(work(item, results.length));
    await turn();
  }
  return results;
}
