import pLimit from "p-limit";

/** Throttled answers within this time count as one sign: they were all sent before the first was answered. */
const ONE_SIGN_MS = 1_000;

/** A limit on concurrency, between one and `most`, that adapts to what the service can take. */
export interface AdaptiveLimit {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** The service asked for less, or did not answer: halves the limit. */
  slowDown(): void;
  /** The current limit. */
  readonly concurrency: number;
}

/**
 * Additive increase, multiplicative decrease, as in TCP: half at each sign of too much, one more after each full
 * round of successes. It starts at `most`, because most accounts can take that, and a slow start would cost small
 * backups their first second.
 * @param now a clock in milliseconds
 */
export function createAdaptiveLimit(
  most: number,
  now: () => number = performance.now.bind(performance),
): AdaptiveLimit {
  const limit = pLimit(most);
  let successes = 0;
  let lastSign = -Infinity;
  return {
    async run(work) {
      return await limit(async () => {
        const result = await work();
        if (limit.concurrency < most && ++successes >= limit.concurrency) {
          successes = 0;
          limit.concurrency++;
        }
        return result;
      });
    },
    slowDown() {
      if (now() - lastSign < ONE_SIGN_MS) return;
      lastSign = now();
      successes = 0;
      limit.concurrency = Math.max(1, Math.floor(limit.concurrency / 2));
    },
    get concurrency() {
      return limit.concurrency;
    },
  };
}
