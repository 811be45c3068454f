import { AsyncLocalStorage } from "node:async_hooks";

const meters = new AsyncLocalStorage<{ throttled: number }>();

/**
 * Does some work and adds to its result how many of its storage requests were refused for being too many, or were left
 * without an answer until they timed out. They were sent again; the count says why the work took so long.
 */
export async function tellThrottled<T extends object>(
  work: () => Promise<T>,
): Promise<T & { throttled?: number }> {
  const meter = { throttled: 0 };
  const result = await meters.run(meter, work);
  return meter.throttled === 0 ? result : { ...result, throttled: meter.throttled };
}

/** Counts one request of the work that is being done. */
export function countThrottled(): void {
  const meter = meters.getStore();
  if (meter) meter.throttled++;
}
