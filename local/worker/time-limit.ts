import { formatTimeSpan } from "../settings/time-span.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";

/** The longest time that setTimeout takes. */
const LONGEST = 2 ** 31 - 1;

/**
 * Calls `expired` when a function has taken longer than host.json's functionTimeout (milliseconds; Infinity: never).
 * Clear the returned timer when the function has ended.
 */
export function limitTime(timeout: number, expired: () => void): NodeJS.Timeout | undefined {
  return timeout > LONGEST ? undefined : setTimeout(expired, timeout);
}

/** The error of a function that took too long, in the real host's words. */
export function timeoutFailure(request: InvocationRequest, timeout: number): InvocationResult {
  const message =
    `Timeout value of ${formatTimeSpan(timeout)} exceeded by function: 'Functions.${request.functionId}' ` +
    `(Id: '${request.invocationId}'). Initiating cancellation.`;
  return { status: "failure", exception: { message, stack: "" } };
}
