import type { RetryOptions } from "./actions.ts";

/**
 * How long to wait, in milliseconds, after attempt number `attempt` (from 0) failed; undefined when
 * `retryTimeout` has passed since `firstAttempt` (both in epoch milliseconds). As DurableTask.Core computes it:
 * the first interval times the coefficient to the power of the attempt, at most the maximum.
 */
export function retryDelay(
  options: RetryOptions,
  attempt: number,
  firstAttempt: number,
  now: number,
): number | undefined {
  const timeout = options.retryTimeoutInMilliseconds;
  if (timeout !== undefined && now >= firstAttempt + timeout) return undefined;
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** attempt;
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER);
}
