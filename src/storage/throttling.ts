import { AsyncLocalStorage } from "node:async_hooks";

const meters = new AsyncLocalStorage<{ throttled: number }>();

/**
 * Does some work and counts how many of its storage requests were throttled or timed out. They were sent again; the
 * count explains why the work took long.
 */
export async function countThrottled<T>(work: () => Promise<T>): Promise<{ result: T; throttled: number }> {
  const meter = { throttled: 0 };
  const result = await meters.run(meter, work);
  return { result, throttled: meter.throttled };
}

/** Counts one request of the current work. */
export function wasThrottled(): void {
  const meter = meters.getStore();
  if (meter) meter.throttled++;
}
