import { formatTimeSpan } from "../settings/time-span.ts";
import type { InvocationRequest, InvocationResult } from "./messages.ts";

/** setTimeout's longest. */
const LONGEST = 2 ** 31 - 1;

/**
 * Calls `expired` when a function has taken longer than host.json's functionTimeout (milliseconds; Infinity: never).
 * The timer that is given back is to be cleared when the function has ended.
 */
export function limitTime(timeout: number, expired: () => void): NodeJS.Timeout | undefined {
  return timeout > LONGEST ? undefined : setTimeout(expired, timeout);
}

/** What a function that took too long fails with, in the real host's words. */
export function timeoutFailure(request: InvocationRequest, timeout: number): InvocationResult {
  const message =
    `Timeout value of ${formatTimeSpan(timeout)} exceeded by function: 'Functions.${request.functionId}' ` +
    `(Id: '${request.invocationId}'). Initiating cancellation.`;
  return { status: "failure", exception: { message, stack: "" } };
}
